/* Draws the Plotly figures of a page in the colours of the page, keeps them in step
 * with the light/dark switch and the width of the window, and makes them answer to
 * the keyboard.  Figures come from manifpt_utils/notebook/renderer.py. */
(function () {
  "use strict";

  const root = document.documentElement;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const narrow = window.matchMedia("(max-width: 600px)");
  const config = { responsive: true, displaylogo: false };

  function merge(base, extra) {
    const out = { ...base };
    for (const [key, value] of Object.entries(extra)) {
      const both = [out[key], value].every(
        (v) => v && typeof v === "object" && !Array.isArray(v)
      );
      out[key] = both ? merge(out[key], value) : value;
    }
    return out;
  }

  /* Plotly's template from the style sheet's colours: one source for both modes. */
  function pageTemplate() {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(`--pst-color-${name}`).trim();
    const [text, muted] = [colour("text-base"), colour("text-muted")];
    const [line, surface] = [colour("border"), colour("surface")];
    const clear = "rgba(0,0,0,0)";
    const axis = {
      gridcolor: line, linecolor: muted, zerolinecolor: line, tickcolor: muted,
      ticklabelstandoff: 5, automargin: true,
    };
    const spatial = { ...axis, backgroundcolor: clear, color: text };
    const box = { bgcolor: surface, bordercolor: line, font: { color: text } };
    return {
      font: { color: text, family: getComputedStyle(document.body).fontFamily },
      paper_bgcolor: clear, plot_bgcolor: clear,
      margin: { l: 56, r: 24, t: 40, b: 48 },
      xaxis: axis, yaxis: axis,
      scene: { xaxis: spatial, yaxis: spatial, zaxis: spatial },
      hoverlabel: { bgcolor: surface, bordercolor: line, font: { color: text } },
      modebar: { bgcolor: clear, color: muted, activecolor: text },
      legend: { bgcolor: clear },
      updatemenudefaults: box,
      sliderdefaults: { ...box, activebgcolor: muted, tickcolor: muted },
    };
  }

  function themed(layout) {
    const template = layout.template || {};
    return { ...template, layout: merge(template.layout || {}, pageTemplate()) };
  }

  /* On a phone the legend goes below, and the margins shrink. */
  function fitted(layout) {
    if (!narrow.matches) return layout;
    const below = { orientation: "h", x: 0, y: -0.25, xanchor: "left", yanchor: "top" };
    const legend = { ...below, ...layout.legend }; // unless the figure has a place for it
    return merge(layout, { legend, margin: { l: 44, r: 12 } });
  }

  function draw(box) {
    const canvas = box.querySelector(".plotly-canvas");
    const figure = JSON.parse(
      box.querySelector('script[type="application/json"]').textContent
    );
    const layoutNow = () =>
      fitted({ ...figure.layout, template: themed(figure.layout) });
    const start = { data: figure.data, layout: layoutNow(), frames: figure.frames, config };
    const theme = root.dataset.theme;
    Plotly.newPlot(canvas, start).then(() => {
      const follow = () => Plotly.relayout(canvas, { template: themed(figure.layout) });
      if (root.dataset.theme !== theme) follow(); // pictures took their time
      new MutationObserver(follow).observe(
        root, { attributes: true, attributeFilter: ["data-theme"] }
      );
      narrow.addEventListener("change", () =>
        Plotly.react(canvas, canvas.data, layoutNow(), config)
      );
      addKeys(box, canvas, addThumbnails(canvas));
    });
  }

  /* layout.meta.sprite is one picture with a tile for each point, `columns` in a row,
   * each `ratio` times as high as wide; the number of a point's tile is its customdata.  Returns a function that shows the
   * tile of a point beside its label. */
  function addThumbnails(canvas) {
    const { sprite, columns, ratio = 1 } = canvas.layout.meta || {};
    if (!sprite) return () => {};
    const shown = 96;
    const height = shown * ratio;
    const tile = document.createElement("div");
    tile.className = "plotly-thumbnail";
    tile.style.backgroundImage = `url("${sprite}")`;
    tile.style.backgroundSize = `${columns * shown}px auto`;
    tile.style.width = `${shown}px`;
    tile.style.height = `${height}px`;
    tile.hidden = true;
    canvas.append(tile);
    const show = (customdata) => {
      const number = Number([].concat(customdata)[0]);
      const label = canvas.querySelector(".hoverlayer .hovertext");
      if (!Number.isInteger(number) || !label) return;
      const [column, row] = [number % columns, Math.floor(number / columns)];
      tile.style.backgroundPosition = `-${column * shown}px -${row * height}px`;
      const [box, frame] = [label, canvas].map((e) => e.getBoundingClientRect());
      const left = Math.min(box.left - frame.left, frame.width - shown - 4);
      const above = box.top - frame.top - height - 8;
      tile.style.left = `${Math.max(0, left)}px`;
      tile.style.top = `${above < 0 ? box.bottom - frame.top + 8 : above}px`;
      tile.hidden = false;
    };
    canvas.on("plotly_hover", ({ points: [point] }) => show(point.customdata));
    const hide = () => { tile.hidden = true; };
    canvas.on("plotly_unhover", hide);
    window.addEventListener("resize", hide);
    return show;
  }

  function stepControl(canvas, control, items, by) {
    const { active = 0, [items]: choices = [] } = canvas.layout[control][0];
    const next = Math.min(Math.max(active + by, 0), choices.length - 1);
    const choice = choices[next];
    Plotly.relayout(canvas, { [`${control}[0].active`]: next });
    if (choice.method && choice.method !== "skip") {
      Plotly[choice.method](canvas, ...(choice.args || []));
    }
    return choice.value || choice.label;
  }

  /* Figures with a slider say below what is to be seen, and have buttons for fingers
   * and for those who do not know the keys.  Nothing moves before a reader asks for
   * it, and nothing plays for those who want no motion. */
  function addSteps(box, canvas, announce) {
    const [slider] = canvas.layout.sliders || [];
    if (!slider) return;
    const live = box.querySelector("[aria-live]");
    const first = slider.steps[slider.active || 0];
    live.className = "plotly-said";
    live.textContent = first.value || first.label;
    canvas.on("plotly_sliderchange", ({ step }) => announce(step.value || step.label));
    const row = document.createElement("div");
    row.className = "plotly-steps";
    const button = (text, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = text;
      made.addEventListener("click", act);
      row.append(made);
      return made;
    };
    const move = (by) => announce(stepControl(canvas, "sliders", "steps", by));
    button("Back", () => { stop(); move(-1); });
    button("Next", () => { stop(); move(1); });
    let timer = null;
    const play = still.matches ? null : button("Play", () => (timer ? stop() : start()));
    const place = () => canvas.layout.sliders[0].active || 0;
    const last = slider.steps.length - 1;
    function stop() {
      window.clearInterval(timer);
      timer = null;
      if (play) play.textContent = "Play";
    }
    function start() {
      if (place() === last) move(-last);
      play.textContent = "Pause";
      timer = window.setInterval(() => {
        move(1);
        if (place() === last) stop();
      }, 1200);
    }
    box.insertBefore(row, live);
  }

  /* Without a slider or menu the keys go from point to point and trace to trace.
   * Plotly may draw the label a little later (it limits how often), and tells no
   * listener about it, so its text is read after a pause. */
  function stepPoint(canvas, place, along, across, labelled) {
    const traces = canvas.calcdata || [];
    const clamp = (value, count) => Math.min(Math.max(value, 0), count - 1);
    place.trace = clamp(place.trace + across, traces.length);
    place.point = clamp(place.point + along, traces[place.trace].length);
    Plotly.Fx.hover(canvas, [{ curveNumber: place.trace, pointNumber: place.point }]);
    window.setTimeout(() => {
      const texts = canvas.querySelectorAll(".hoverlayer text");
      const customdata = canvas._fullData[place.trace].customdata || [];
      labelled([...texts].map((text) => text.textContent).join(", "),
        customdata[place.point]);
    }, 120);
  }

  function addKeys(box, canvas, showThumbnail) {
    const live = box.querySelector("[aria-live]");
    const announce = (text) => { live.textContent = text; };
    addSteps(box, canvas, announce);
    const place = { trace: 0, point: -1 };
    const moves = {
      ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1],
    };
    canvas.addEventListener("keydown", (event) => {
      const move = moves[event.key];
      if (!move || event.target !== canvas) return;
      const [along, across] = move;
      const has = (control) => (canvas.layout[control] || []).length > 0;
      event.preventDefault();
      if (along && has("sliders")) {
        announce(stepControl(canvas, "sliders", "steps", along));
      } else if (across && has("updatemenus")) {
        announce(stepControl(canvas, "updatemenus", "buttons", across));
      } else {
        stepPoint(canvas, place, along, across, (text, customdata) => {
          announce(text);
          showThumbnail(customdata);
        });
      }
    });
  }

  document.querySelectorAll(".plotly-figure").forEach(draw);
})();
