/* Two figures that compute: a point that is dragged off a circle, and a box that is
 * dragged over a photograph.  What stands on the page without this script, a picture
 * and its numbers, is written by book/_ext/circle_figure.py and photo_figure.py; the
 * estimates are those of the package, which a test holds. */
(function () {
  "use strict";

  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const clamp = (value, [low, high]) => Math.min(Math.max(value, low), high);
  const squared = (a, b) => a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0);
  const distance = (a, b) => Math.sqrt(squared(a, b));
  const written = (x, digits) => x.toFixed(digits).replace("-", "−");

  /* --- what both figures share ------------------------------------------------- */

  const STEPS = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  };

  /* A picture on which something is moved: `moveTo` gets places of its SVG, `moveBy`
   * steps of the arrow keys (ten at a time with shift), `change` plus or minus. */
  function makePad(pad, handle, { label, moveTo, moveBy, change }) {
    const svg = pad.querySelector("svg");
    pad.tabIndex = 0;
    pad.setAttribute("role", "application");
    pad.setAttribute("aria-label", label);
    const placeOf = (event) => {
      const place = new DOMPoint(event.clientX, event.clientY);
      const { x, y } = place.matrixTransform(svg.getScreenCTM().inverse());
      return [x, y];
    };
    let grip = null; // where in the handle it was taken
    handle.addEventListener("pointerdown", (event) => {
      const [x, y] = placeOf(event);
      const [left, top] = moveTo(null);
      grip = [x - left, y - top];
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
      pad.focus({ preventScroll: true });
    });
    handle.addEventListener("pointermove", (event) => {
      if (!grip) return;
      const [x, y] = placeOf(event);
      moveTo([x - grip[0], y - grip[1]]);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      handle.addEventListener(end, () => { grip = null; });
    }
    svg.addEventListener("click", (event) => {
      if (!handle.contains(event.target)) moveTo(placeOf(event));
    });
    pad.addEventListener("keydown", (event) => {
      if (event.target !== pad || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = STEPS[event.key];
      const more = { "+": 1, "=": 1, "-": -1, "_": -1 }[event.key];
      if (step) moveBy(step.map((s) => s * (event.shiftKey ? 10 : 1)));
      else if (more) change(more);
      else return;
      event.preventDefault();
    });
  }

  /* Tell a screen reader where things are, once they have come to rest. */
  function makeAnnouncer(region) {
    let timer = 0;
    return (text) => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => { region.textContent = text; }, 250);
    };
  }

  function dataOf(figure) {
    return JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  }

  function awake(figure) {
    figure.classList.add("awake"); // the style sheet shows what works from now on
    figure.querySelectorAll("[data-sleeping]").forEach((e) => { e.hidden = false; });
  }

  /* A drawing that changes has a description that changes, and no tooltip. */
  function describe(svg, text) {
    const title = svg.querySelector("title");
    if (title) title.remove();
    svg.removeAttribute("aria-labelledby");
    svg.setAttribute("aria-label", text);
  }

  const set = (element, values) => {
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
  };

  /* --- a point and a circle ----------------------------------------------------- */

  const RADIUS = Math.SQRT1_2; // so that two random real points are 1 apart
  const RIDGE = 1e-3; // of the hull, as in DataManifold
  const NEIGHBOURS = { tangent: 5, hull: 2 };

  const onCircle = (turn) => [
    RADIUS * Math.cos(2 * Math.PI * turn), RADIUS * Math.sin(2 * Math.PI * turn),
  ];

  function nearestFirst(x, real) {
    const far = real.map((point) => squared(point, x));
    return real.map((_, i) => i).sort((a, b) => far[a] - far[b] || a - b);
  }

  function meanOf(points) {
    const sum = (i) => points.reduce((total, point) => total + point[i], 0);
    return [sum(0) / points.length, sum(1) / points.length];
  }

  /* On the leading direction of the neighbours about their mean. */
  function onTangent(x, neighbours) {
    const c = meanOf(neighbours);
    let [xx, xy, yy] = [0, 0, 0];
    for (const point of neighbours) {
      const [u, v] = [point[0] - c[0], point[1] - c[1]];
      xx += u * u; xy += u * v; yy += v * v;
    }
    const angle = Math.atan2(2 * xy, xx - yy) / 2;
    const [u, v] = [Math.cos(angle), Math.sin(angle)];
    const along = (x[0] - c[0]) * u + (x[1] - c[1]) * v;
    return [c[0] + along * u, c[1] + along * v];
  }

  /* On the straight line through two neighbours, drawn a little to their mean. */
  function onHull(x, [first, second]) {
    const c = meanOf([first, second]);
    const spread = [first[0] - c[0], first[1] - c[1]];
    const length = squared(first, c);
    const along = (x[0] - c[0]) * spread[0] + (x[1] - c[1]) * spread[1];
    const weight = (2 * along) / (2 * length + RIDGE * length + 1e-12);
    return [c[0] + weight * spread[0], c[1] + weight * spread[1]];
  }

  /* Estimates of the closest point; that of the centre of the circle is null. */
  function estimates(x, real) {
    const near = nearestFirst(x, real).map((i) => real[i]);
    const length = Math.hypot(...x);
    return {
      exact: length > 1e-9 ? x.map((v) => (RADIUS * v) / length) : null,
      nearest: near[0],
      tangent: onTangent(x, near.slice(0, NEIGHBOURS.tangent)),
      hull: onHull(x, near.slice(0, NEIGHBOURS.hull)),
    };
  }

  const [UNIT, REACH, NUDGE] = [200, 1.08, 0.02]; // length 1 in the SVG; limits; a key
  const CHART = { left: 46, top: 32, width: 290, height: 210, low: -3, high: 0 };

  function placeInChart(size, sizes, value) {
    const { left, top, width, height, low, high } = CHART;
    const share = Math.log(size / sizes[0]) / Math.log(sizes.at(-1) / sizes[0]);
    const level = clamp(Math.log10(Math.max(value, 1e-9)), [low, high]);
    return [left + share * width, top + ((high - level) / (high - low)) * height];
  }

  function circleFigure(figure) {
    const data = dataOf(figure);
    const real = data.turns.map(onCircle);
    const state = { x: data.point, size: data.sizes.indexOf(data.n) };
    const find = (selector) => figure.querySelector(selector);
    const of = (kind) => (selector) => find(`${selector}[data-kind="${kind}"]`);
    const [dots, slider] = [figure.querySelectorAll(".real circle"), find("input[type=range]")];
    const announce = makeAnnouncer(find("[aria-live]"));
    const shown = (kind) => of(kind)("input").checked;

    function drawKind(kind, star, exact) {
      const part = of(kind);
      const visible = Boolean(star) && shown(kind);
      for (const name of [".stroke", ".mark", ".support"]) {
        const element = part(name);
        if (element) element.classList.toggle("off", !visible);
      }
      part("tr").querySelectorAll("td").forEach((cell, i) => {
        const number = star && [distance(state.x, star), exact && distance(star, exact)][i];
        cell.textContent = star && number !== null ? written(number, 3) : "–";
      });
      if (!star) return;
      const [a, b] = [star, state.x].map(([x, y]) => [UNIT * x, -UNIT * y]);
      set(part(".stroke"), { x1: a[0], y1: a[1], x2: b[0], y2: b[1] });
      set(part(".mark"), { transform: `translate(${a[0]} ${a[1]})` });
      if (part(".support")) drawSupport(part(".support"), a, b);
    }

    /* The straight line on which an estimate lies stands at a right angle to it. */
    function drawSupport(line, a, b) {
      const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
      if (length < 1e-3) return line.classList.add("off");
      const [u, v] = [(60 * (b[1] - a[1])) / length, (-60 * (b[0] - a[0])) / length];
      return set(line, { x1: a[0] - u, y1: a[1] - v, x2: a[0] + u, y2: a[1] + v });
    }

    function drawChart() {
      const lines = { nearest: [], tangent: [], hull: [] };
      for (const size of data.sizes) {
        const found = estimates(state.x, real.slice(0, size));
        for (const [kind, places] of Object.entries(lines)) {
          const off = found.exact ? distance(found[kind], found.exact) : NaN;
          if (found.exact) places.push(placeInChart(size, data.sizes, off));
        }
      }
      for (const [kind, places] of Object.entries(lines)) {
        const line = of(kind)(".curve-of");
        set(line, { points: places.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ") });
        const mark = of(kind)(".at-now");
        for (const part of [line, mark]) {
          part.classList.toggle("off", !shown(kind) || !places.length);
        }
        const [left, top] = places[state.size] || [0, 0];
        set(mark, { transform: `translate(${left} ${top})` });
      }
      const [x] = placeInChart(data.sizes[state.size], data.sizes, 1);
      set(find(".now"), { x1: x, x2: x });
    }

    function words(found, n) {
      const far = Math.hypot(...state.x) - RADIUS;
      const side = Math.abs(far) < 5e-4 ? "on" : far > 0 ? "outside" : "inside";
      const lengths = Object.entries(found).map(([kind, star]) =>
        star ? `${kind} ${written(distance(state.x, star), 2)}` : `${kind}: none, for the centre has no closest point`);
      const place = state.x.map((v) => written(v, 2)).join(", ");
      return `Point at ${place}, ${side} the circle; ${n} real points. `
        + `Length of the artifact: ${lengths.join(", ")}.`;
    }

    function draw() {
      const n = data.sizes[state.size];
      const found = estimates(state.x, real.slice(0, n));
      dots.forEach((dot, i) => dot.classList.toggle("off", i >= n));
      for (const [kind, star] of Object.entries(found)) drawKind(kind, star, found.exact);
      const [x, y] = state.x;
      set(find(".generated"), { transform: `translate(${UNIT * x} ${-UNIT * y})` });
      drawChart();
      slider.value = state.size;
      slider.setAttribute("aria-valuetext", `${n} real points`);
      find("output").textContent = n;
      const said = words(found, n);
      describe(find(".pad svg"), said);
      describe(find(".side > svg"), "Errors of three estimates against the number of "
        + `real points; marks show them with ${n}, as in the table.`);
      announce(said);
    }

    function moveTo(place) {
      if (!place) return [UNIT * state.x[0], -UNIT * state.x[1]];
      state.x = [place[0] / UNIT, -place[1] / UNIT].map((v) => clamp(v, [-REACH, REACH]));
      return draw();
    }

    function resize(size) {
      state.size = clamp(size, [0, data.sizes.length - 1]);
      draw();
    }

    /* More and more real points; at once for those who want no motion. */
    let timer = 0;
    function play() {
      window.clearInterval(timer);
      const last = data.sizes.length - 1;
      if (still.matches) return resize(last);
      timer = window.setInterval(() => {
        resize(state.size + 1);
        if (state.size === last) window.clearInterval(timer);
      }, 600);
      return resize(0);
    }

    awake(figure);
    makePad(find(".pad"), find(".generated"), {
      label: "Generated point. Arrow keys move it, plus and minus change the number of real points.",
      moveTo,
      moveBy: ([right, down]) => moveTo([
        UNIT * (state.x[0] + NUDGE * right), -UNIT * (state.x[1] - NUDGE * down),
      ]),
      change: (more) => resize(state.size + more),
    });
    slider.addEventListener("input", () => resize(Number(slider.value)));
    find("button").addEventListener("click", play);
    figure.querySelectorAll("input[type=checkbox]").forEach((box) =>
      box.addEventListener("change", draw));
    draw();
  }

  /* --- a box on a photograph ----------------------------------------------------- */

  const [SIDE, LOBES, CHANNELS] = [32, 3, 3]; // of a view; of the Lanczos filter

  function sinc(u) {
    return u === 0 ? 1 : Math.sin(Math.PI * u) / (Math.PI * u);
  }

  /* For each of 32 output pixels: the first pixel under its filter, and the weights. */
  function filters(centre, side, n) {
    const scale = side / SIDE;
    return Array.from({ length: SIDE }, (_, i) => {
      const middle = centre + (i + 0.5 - SIDE / 2) * scale;
      const first = Math.max(0, Math.ceil(middle - LOBES * scale - 0.5));
      const last = Math.min(n - 1, Math.floor(middle + LOBES * scale - 0.5));
      const weights = [];
      for (let j = first; j <= last; j++) {
        const u = (j + 0.5 - middle) / scale;
        weights.push(Math.abs(u) < LOBES ? sinc(u) * sinc(u / LOBES) : 0);
      }
      const sum = weights.reduce((a, b) => a + b, 0);
      return { first, weights: weights.map((w) => w / sum) };
    });
  }

  const toBytes = (x) => x.map((v) => clamp(Math.round(v), [0, 255]));

  /* The view of a box (x, y, side, in pixels of the whole photograph) as 32 x 32 x 3
   * numbers, from the photograph that was reduced by the factor `pixel`. */
  function viewOf(photo, box) {
    const [x, y, side] = box.map((v) => v / photo.pixel);
    const { width, height, values } = photo;
    const columns = filters(x, side, width);
    const view = new Float64Array(SIDE * SIDE * CHANNELS);
    const from = columns[0].first;
    const to = columns[SIDE - 1].first + columns[SIDE - 1].weights.length;
    const line = new Float64Array(width * CHANNELS);
    filters(y, side, height).forEach((row, i) => {
      line.fill(0);
      row.weights.forEach((weight, j) => {
        const start = (row.first + j) * width * CHANNELS;
        for (let k = from * CHANNELS; k < to * CHANNELS; k++) {
          line[k] += weight * values[start + k];
        }
      });
      columns.forEach((column, j) => {
        for (let c = 0; c < CHANNELS; c++) {
          let sum = 0;
          column.weights.forEach((weight, k) => {
            sum += weight * line[(column.first + k) * CHANNELS + c];
          });
          view[(i * SIDE + j) * CHANNELS + c] = sum;
        }
      });
    });
    return toBytes(view);
  }

  /* Convolve one axis; at the edge the picture is continued by its mirror image. */
  function blurred(x, sd, step, across) {
    const reach = Math.floor(4 * sd + 0.5);
    const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
      Math.exp(-0.5 * ((i - reach) / sd) ** 2));
    const sum = weights.reduce((a, b) => a + b, 0);
    const mirrored = (i) => {
      const place = ((i % (2 * SIDE)) + 2 * SIDE) % (2 * SIDE);
      return place < SIDE ? place : 2 * SIDE - 1 - place;
    };
    const out = new Float64Array(x.length);
    for (let a = 0; a < SIDE; a++) for (let b = 0; b < SIDE; b++) {
      for (let c = 0; c < CHANNELS; c++) {
        let total = 0;
        weights.forEach((w, i) => {
          total += w * x[mirrored(a + i - reach) * step + b * across + c];
        });
        out[a * step + b * across + c] = total / sum;
      }
    }
    return out;
  }

  /* Normal numbers, the same in every browser. */
  function normals(n) {
    let seed = 1;
    const uniform = () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
    };
    return Float64Array.from({ length: n }, () =>
      Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
  }

  const NOISE = normals(SIDE * SIDE * CHANNELS);
  const [ROW, PIXEL] = [SIDE * CHANNELS, CHANNELS];
  const ERRORS = { // what a strength from 0 to 1 does to a view
    checkerboard: (x, s) => x.map((v, i) => {
      const odd = (Math.floor(i / ROW) + Math.floor((i % ROW) / PIXEL)) % 2;
      return v + 40 * s * (odd ? -1 : 1);
    }),
    blur: (x, s) => (s > 0 ? blurred(blurred(x, 2 * s, ROW, PIXEL), 2 * s, PIXEL, ROW) : x),
    noise: (x, s) => x.map((v, i) => v + 40 * s * NOISE[i]),
  };

  const withError = (view, kind, strength) => toBytes(ERRORS[kind](view, strength));

  /* Number of the nearest of some views, and its distance in grey levels. */
  function nearestOf(x, views) {
    let [best, least] = [-1, Infinity];
    views.forEach((view, number) => {
      let sum = 0;
      for (let i = 0; i < x.length && sum < least; i++) sum += (x[i] - view[i]) ** 2;
      if (sum < least) [best, least] = [number, sum];
    });
    return { number: best, distance: Math.sqrt(least) };
  }

  async function pixelsOf(address) {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const values = Float64Array.from(
      { length: canvas.width * canvas.height * CHANNELS },
      (_, i) => data[Math.floor(i / CHANNELS) * 4 + (i % CHANNELS)]);
    return { values, width: canvas.width, height: canvas.height };
  }

  async function photoOf(data) {
    return { ...(await pixelsOf(data.photograph)), pixel: data.pixel };
  }

  /* 32 x 32 x 3 numbers from 0 to 255 as the address of a picture. */
  function pictureOf(x) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const context = canvas.getContext("2d");
    const image = context.createImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) {
      for (let c = 0; c < CHANNELS; c++) image.data[4 * i + c] = x[CHANNELS * i + c];
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    return canvas.toDataURL();
  }

  const minus = (a, b) => Float64Array.from(a, (v, i) => v - b[i]);
  const normOf = (a) => Math.sqrt(a.reduce((sum, v) => sum + v * v, 0));

  /* Everything that the figure shows, from its settings. */
  function compare(photo, views, box, kind, strength) {
    const view = viewOf(photo, box);
    const x = withError(view, kind, strength);
    const { number, distance: length } = nearestOf(x, views);
    const [artifact, error] = [minus(x, views[number]), minus(x, view)];
    const product = artifact.reduce((sum, v, i) => sum + v * error[i], 0);
    const size = normOf(error);
    return {
      x, artifact, error, number, length, size,
      cosine: size > 0 && length > 0 ? product / (size * length) : null,
    };
  }

  async function photoFigure(figure) {
    const data = dataOf(figure);
    const photo = await photoOf(data);
    const state = { box: data.box, size: data.sizes.indexOf(data.n) };
    const find = (selector) => figure.querySelector(selector);
    const [amount, sideOf, count] = ["strength", "side", "count"].map((name) =>
      find(`input[name=photo-${name}]`));
    const announce = makeAnnouncer(find("[aria-live]"));
    const stored = [];

    function views(n) {
      while (stored.length < n) stored.push(viewOf(photo, data.coordinates[stored.length]));
      return stored.slice(0, n);
    }

    function show(name, x, alt) {
      set(find(`img[data-part=${name}]`), { src: pictureOf(x), alt });
    }

    function frame(name, [x, y, side]) {
      set(find(name), { x: x - side / 2, y: y - side / 2, width: side, height: side });
    }

    function words(found, n, kind) {
      const [length, size] = [found.length, found.size].map((v) => written(v, 0));
      const likeness = found.cosine === null ? "There is no error to compare it with."
        : `Their directions agree with a cosine of ${written(found.cosine, 2)}.`;
      return `With ${n} stored views, the artifact is ${length} grey levels long. `
        + `The error that was added (${kind}) is ${size} long. ${likeness}`;
    }

    function draw() {
      const n = data.sizes[state.size];
      const kind = find("input[name=photo-error]:checked").value;
      const strength = Number(amount.value) / 100;
      const found = compare(photo, views(n), state.box, kind, strength);
      const limit = Math.max(...found.artifact.map(Math.abs), 8);
      const grey = (a) => a.map((v) => 127.5 + (127.5 * v) / limit);
      const amountOf = `${amount.value} % of the error ${kind}`;
      show("generated", found.x, `The view of the box with ${amountOf}.`);
      show("closest", stored[found.number], "The nearest stored view.");
      show("artifact", grey(found.artifact), "The difference of the two, around mid-grey.");
      show("error", grey(found.error), `${amountOf} alone, around mid-grey.`);
      frame(".box", state.box);
      frame(".found", data.coordinates[found.number]);
      find("output[for=photo-strength]").textContent = `${amount.value} %`;
      find("output[for=photo-side]").textContent = Math.round(state.box[2]);
      find("output[for=photo-count]").textContent = n;
      [sideOf.value, count.value] = [state.box[2], state.size];
      count.setAttribute("aria-valuetext", `${n} stored views`);
      find(".words").textContent = words(found, n, kind);
      const [x, y, side] = state.box.map((v) => Math.round(v));
      const where = `Box at ${x}, ${y}, side ${side}.`;
      describe(find(".pad svg"), `A photograph of a cup of coffee. ${where}`);
      announce(`${where} ${words(found, n, kind)}`);
    }

    function place(box) {
      state.box = box.map((v, i) => clamp(v, data.bounds[i]));
      draw();
    }

    awake(figure);
    makePad(find(".pad"), find(".box"), {
      label: "Box on the photograph. Arrow keys move it, plus and minus change its side.",
      moveTo: (to) => (to ? place([...to, state.box[2]]) : state.box),
      moveBy: ([right, down]) =>
        place([state.box[0] + 2 * right, state.box[1] + 2 * down, state.box[2]]),
      change: (more) => place([state.box[0], state.box[1], state.box[2] + 5 * more]),
    });
    amount.addEventListener("input", draw);
    sideOf.addEventListener("input", () =>
      place([state.box[0], state.box[1], Number(sideOf.value)]));
    count.addEventListener("input", () => { state.size = Number(count.value); draw(); });
    figure.querySelectorAll("input[name=photo-error]").forEach((radio) =>
      radio.addEventListener("change", draw));
    draw();
  }

  window.manifpt = { estimates, onCircle, viewOf, withError, nearestOf, photoOf, compare };
  document.querySelectorAll("figure.touch-circle").forEach(circleFigure);
  document.querySelectorAll("figure.touch-photo").forEach(photoFigure);
})();
