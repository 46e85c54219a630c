/* Keeps in the browser what a reader expects of a result, and sets it beside the result.
 * The parts of the page come from manifpt_utils/notebook/prediction_form.py; the words
 * are those of manifpt_utils/notebook/predictions.py. */
(function () {
  "use strict";

  const store = window.keptInBrowser;

  function asNumber(text) {
    const plain = text.replace(/[%\s]/g, "").replace("−", "-").replace(",", ".");
    return plain === "" ? NaN : Number(plain);
  }

  /* What stands in the form: a value to compare, its words, or a reason why not. */
  function entered(form) {
    if (form.dataset.kind === "number") {
      const input = form.elements.number;
      const value = asNumber(input.value);
      if (Number.isNaN(value)) return { missing: "Write a number, such as 12.5." };
      const unit = input.dataset.unit ? ` ${input.dataset.unit}` : "";
      return { value, words: `${value}${unit}`.replace("-", "−"), raw: input.value };
    }
    const chosen = form.querySelector("input:checked");
    if (!chosen) return { missing: "Choose one." };
    const words = chosen.parentElement.querySelector("span").textContent;
    return { value: chosen.dataset.value, words, raw: chosen.value };
  }

  function fill(form, raw) {
    const isNumber = form.dataset.kind === "number";
    const box = form.querySelector(isNumber ? "input" : `input[value="${raw}"]`);
    if (isNumber) box.value = raw;
    else if (box) box.checked = true;
  }

  function comparison(form, value, text) {
    if (form.dataset.kind !== "number") {
      return value === text ? "That is what you expected." : "The result is another one.";
    }
    const result = Number(text);
    if (Math.abs(value - result) <= 0.1 * Math.abs(result)) {
      return "You were within a tenth of it.";
    }
    return result > value ? "It is more than that." : "It is less than that.";
  }

  function takeUp(form, entry, found) {
    const say = (part, text) => {
      found.querySelector(`.prediction-${part}`).textContent = text;
    };
    say("yours", `You expected: ${entry.words}.`);
    say("verdict", comparison(form, entry.value, found.dataset.result));
  }

  function start(section) {
    const name = section.dataset.prediction;
    const form = section.querySelector("form");
    const found = document.querySelectorAll(
      `.prediction-found[data-prediction="${name}"]`
    );
    const kept = store.read(`prediction ${name}`);

    function judge() {
      const entry = entered(form);
      const told = entry.missing || "Kept. It stands beside the result, further down.";
      form.querySelector(".quiz-feedback").textContent = told;
      if (!entry.missing) found.forEach((box) => takeUp(form, entry, box));
      return entry;
    }

    form.querySelector("[type=submit]").hidden = false;
    if (kept.version === form.dataset.version) {
      fill(form, kept.raw);
      judge();
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { missing, raw } = judge();
      if (missing) return;
      store.write(`prediction ${name}`, { version: form.dataset.version, raw });
    });
  }

  document.querySelectorAll("section.prediction").forEach(start);
})();
