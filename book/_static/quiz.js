/* Checks the answers of a quiz in the page, tells why, and keeps the progress in the
 * browser.  Quizzes come from manifpt_utils/notebook/quiz_form.py; the rules are those
 * of manifpt_utils/notebook/judging.py. */
(function () {
  "use strict";

  const WORDS = { right: "Right.", almost: "Almost.", "not yet": "Not yet." };
  const UNITS = { "%": "percent", points: "percentage points" };

  const store = window.keptInBrowser;

  const all = (box, selector) => [...box.querySelectorAll(selector)];
  const why = (item) => item.querySelector(".quiz-why").innerHTML;
  const joined = (items) => items.map(why).join(" ");

  /* What stands in the controls of a question: texts by name, empty ones left out. */
  function given(form) {
    const entries = [...new FormData(form)].filter(([, value]) => value.trim());
    return entries.map(([name, value]) => [name, value.trim()]);
  }

  function fill(form, entries) {
    form.reset();
    for (const [name, value] of entries) {
      for (const control of all(form, `[name="${name}"]`)) {
        if (control.type !== "radio" && control.type !== "checkbox") {
          control.value = value;
        } else if (control.value === value) {
          control.checked = true;
        }
      }
    }
  }

  function chosen(form, entries) {
    const letters = entries.map(([, letter]) => letter);
    return all(form, "li[data-letter]").filter((item) =>
      letters.includes(item.dataset.letter)
    );
  }

  const isRight = (item) => item.dataset.right === "1";

  const judges = {
    single(form, entries) {
      const [item] = chosen(form, entries);
      if (!item) return [null, "Choose one."];
      return [isRight(item) ? "right" : "not yet", why(item)];
    },

    multiple(form, entries) {
      const items = chosen(form, entries);
      if (!items.length) return [null, "Choose one or more."];
      const wrong = items.filter((item) => !isRight(item));
      const missing = all(form, "li[data-letter]").filter(
        (item) => isRight(item) && !items.includes(item)
      ).length;
      if (wrong.length) {
        const far = missing || wrong.length > 1;
        return [far ? "not yet" : "almost", joined(wrong)];
      }
      if (missing) return ["almost", `${joined(items)} But ${missing} more to find.`];
      return ["right", joined(items)];
    },

    order(form, entries) {
      const items = all(form, "li[data-letter]");
      const places = new Map(entries.map(([letter, place]) => [Number(place), letter]));
      if (places.size < items.length) return [null, "Give each a place of its own."];
      const sign = form.querySelector("[data-first]").dataset.first === "largest" ? -1 : 1;
      const by = (item) => Number(item.dataset.by);
      const order = [...places].sort((a, b) => a[0] - b[0]).map(([, letter]) =>
        items.find((item) => item.dataset.letter === letter)
      );
      const right = items.map(by).sort((a, b) => sign * (a - b));
      const misplaced = order.flatMap((item, i) => (by(item) === right[i] ? [] : [i]));
      if (!misplaced.length) return ["right", joined(order)];
      const swap = misplaced.length === 2 && misplaced[1] - misplaced[0] === 1;
      return [swap ? "almost" : "not yet", why(order[misplaced[0]])];
    },

    number(form, entries) {
      const text = entries.length ? entries[0][1] : "";
      const plain = text.replace(/[%\s]/g, "").replace("−", "-").replace(",", ".");
      const value = plain === "" ? NaN : Number(plain);
      if (Number.isNaN(value)) return [null, "Write a number, such as 12.5."];
      const box = form.querySelector("[data-answer]");
      const [answer, tolerance] = [box.dataset.answer, box.dataset.tolerance].map(Number);
      const near = (other, mine = value) => Math.abs(mine - other) <= tolerance;
      if (near(answer)) return ["right", why(form.querySelector(".quiz-answer"))];
      const slip = all(form, "[data-slip]").find((item) => near(Number(item.dataset.slip)));
      if (slip) return ["almost", slip.innerHTML];
      if (box.dataset.unit && near(answer, 100 * value)) {
        return ["almost", `It is asked for in ${UNITS[box.dataset.unit]}.`];
      }
      if (near(-answer)) return ["almost", "The sign is the other way round."];
      return ["not yet", form.querySelector("[data-wrong]").innerHTML];
    },
  };

  function show(form, [state, html]) {
    const word = state ? `<strong>${WORDS[state]}</strong> ` : "";
    form.querySelector(".quiz-feedback").innerHTML = word + html;
    form.dataset.state = state || "";
  }

  function start(quiz) {
    const key = `quiz ${quiz.dataset.quiz}`;
    const forms = all(quiz, "form");
    const again = quiz.querySelector(".quiz-again");
    const kept = store.read(key);

    function tell() {
      const right = forms.filter((form) => form.dataset.state === "right").length;
      const text = `${right} of ${forms.length} right`;
      quiz.querySelector(".quiz-progress").textContent = text;
      again.hidden = !Object.keys(kept).length;
    }

    function judge(form) {
      const entries = given(form);
      const found = judges[form.dataset.kind](form, entries);
      show(form, found);
      if (found[0]) kept[form.dataset.id] = { version: form.dataset.version, entries };
    }

    for (const form of forms) {
      form.querySelector("[type=submit]").hidden = false;
      const { version, entries } = kept[form.dataset.id] || {};
      if (version === form.dataset.version) {
        fill(form, entries);
        judge(form);
      } else {
        delete kept[form.dataset.id];
      }
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        judge(form);
        store.write(key, kept);
        tell();
      });
    }
    again.addEventListener("click", () => {
      for (const form of forms) {
        form.reset();
        show(form, [null, ""]);
        delete kept[form.dataset.id];
      }
      store.write(key, kept);
      tell();
      forms[0].querySelector("input, select").focus();
    });
    tell();
  }

  document.querySelectorAll("section.quiz").forEach(start);
})();
