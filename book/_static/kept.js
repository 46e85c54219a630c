/* What the reader entered, kept in the browser by name; used by quiz.js and prediction.js. */
(function () {
  "use strict";

  /* A browser may refuse to keep anything; the page works all the same. */
  window.keptInBrowser = {
    read(key) {
      try {
        return JSON.parse(window.localStorage.getItem(key)) || {};
      } catch {
        return {};
      }
    },
    write(key, value) {
      try {
        window.localStorage.setItem(key, JSON.stringify(value));
      } catch { /* nothing is kept */ }
    },
  };
})();
