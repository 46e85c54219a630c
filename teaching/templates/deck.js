/* Start the slides; text that does not fit on one becomes smaller. */
(function () {
  "use strict";

  const HEIGHT = 720;
  const LEAST = 0.55; /* of the size of the text */

  function fit(slide) {
    for (let size = 1; size >= LEAST; size -= 0.05) {
      slide.style.setProperty("--fit", size.toFixed(2));
      if (slide.scrollHeight <= HEIGHT) return;
    }
  }

  Reveal.initialize({
    width: 1280,
    height: HEIGHT,
    margin: 0.04,
    center: true,
    hash: true,
    slideNumber: "c/t",
    transition: "none",
    plugins: [RevealNotes],
  });
  const now = () => fit(Reveal.getCurrentSlide());
  Reveal.on("ready", now);
  Reveal.on("slidechanged", now);
  window.addEventListener("load", async () => {
    if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
    now();
  });
})();
