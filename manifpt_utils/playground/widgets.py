"""The playground's controls: ipywidgets around the functions of `looking`."""

import base64
from html import escape

import ipywidgets as w
from IPython.display import HTML, display

from .looking import (
    MOST_BYTES,
    TOO_LARGE,
    Change,
    changed,
    comparison_words,
    look,
    uploaded,
    verdict_words,
)
from .pictures import description, picture

OWN = "an image of my own"
NEAREST, EXACT = "the nearest real image", "the exact closest view"
NO_KERNEL = (
    "These controls need a running kernel: open the notebook by `make lab`, or the app "
    "by `make app`. The picture shows how they begin."
)
# Refuses a large file in the browser: one above the limit of a server's messages (10
# million bytes in JupyterLab) would end the connection, and nothing would be said.
GUARD = """<p class="file-refused" role="status" aria-live="polite"></p><script>{
  const read = FileReader.prototype.readAsArrayBuffer;
  const say = (text) => {
    for (const p of document.querySelectorAll(".file-refused")) p.textContent = text;
  };
  FileReader.prototype.readAsArrayBuffer = function (file) {
    const fits = file.size <= MOST_BYTES, size = (file.size / 1e6).toFixed(1);
    for (const p of document.querySelectorAll(".file-problem")) p.textContent = "";
    say(fits ? "" : `TOO_LARGE`);
    if (fits) read.call(this, file);
  };
}</script>""".replace("MOST_BYTES", str(MOST_BYTES)).replace(
    "TOO_LARGE", TOO_LARGE.format(name="${file.name}", size="${size}")
)
ACCEPTED = ".png,.jpg,.jpeg,.webp,.bmp,.tif,.tiff,.gif"
FORM = {"style": {"description_width": "13em"}}
FORM |= {"layout": {"width": "32em", "max_width": "calc(100% - 4px)"}}  # margins


class Playground:
    """An image, what happens to it, and what is said of its origin.

    Parameters
    ----------
    attributor : fitted Attributor
    shown : dict of str to (n, h, w, 3) uint8 array
        Stored images, by the model that made them.
    manifold : PhotoManifold, optional
        Where it is known, the exact closest point can be asked for.

    Attributes
    ----------
    before, after : Found
        What is said of the image as it came, and after the change.
    """

    def __init__(self, attributor, shown, *, manifold=None):
        self.attributor = attributor
        self.shown = shown
        self.manifold = manifold
        self.own = None
        self._known, self._is_undoing = {}, False
        self._make_controls()
        self._make_display()
        self._listen()
        self._choose()

    def _make_controls(self):
        known = set(self.attributor.classes_)
        names = [
            (name if name in known else f"{name} (the classifier has not met it)", name)
            for name in self.shown
        ]
        self.source = w.Dropdown(
            options=[*names, (OWN, OWN)], description="Image by", **FORM
        )
        self.number = _slider("Number", w.IntSlider, 0, 0, 1)
        self.upload = w.FileUpload(
            accept=ACCEPTED, multiple=False, description="Choose a file"
        )
        ways = [NEAREST] + ([] if self.manifold is None else [EXACT])
        self.closest = w.Dropdown(options=ways, description="Closest point x*", **FORM)
        self.quality = _slider("JPEG quality, 100: none", w.IntSlider, 100, 5, 100, 5)
        self.blur = _slider("Blur, pixels", w.FloatSlider, 0, 0, 2, 0.1)
        self.noise = _slider("Noise, grey levels", w.FloatSlider, 0, 0, 20, 0.5)
        self.factor = _slider("Resize to and back", w.FloatSlider, 1, 0.25, 1, 0.05)
        self.again = w.Button(description="Undo the changes")

    def _make_display(self):
        self.words, self.view = w.HTML(), w.HTML()
        first = w.VBox([self.source, self.number, self.upload, self.closest])
        change = w.VBox([*self._changes(), self.again])
        wrap = w.Layout(flex_flow="row wrap", align_items="flex-start")
        controls = w.Box([first, change], layout=wrap)
        self.widget = w.VBox([controls, self.words, self.view])

    def _changes(self):
        return self.quality, self.blur, self.noise, self.factor

    def _listen(self):
        self.source.observe(lambda _: self._choose(), "value")
        for control in (self.number, self.closest, *self._changes()):
            control.observe(lambda _: self.refresh(), "value")
        self.upload.observe(lambda _: self._take(), "value")
        self.again.on_click(lambda _: self._undo())

    def _choose(self):
        """Another source: as many numbers as it has images, or a file."""
        is_own = self.source.value == OWN
        self.number.layout.display = "none" if is_own else ""
        self.upload.layout.display = "" if is_own else "none"
        if not is_own:
            self.number.max = len(self.shown[self.source.value]) - 1
        self.refresh()

    def _take(self):
        """Read what was handed over, and forget the file."""
        if not self.upload.value:
            return
        (file,) = self.upload.value
        try:
            shape = self.attributor.image_shape_[:2]
            self.own, problem = uploaded(file["name"], file["content"], shape), ""
        except ValueError as error:
            self.own, problem = None, str(error)
        self.upload.value = ()
        self.words.value = ""  # the guard may have emptied the same words in the page
        self.refresh(problem)

    def _undo(self):
        self._is_undoing = True
        for control, value in zip(self._changes(), (100, 0, 0, 1), strict=True):
            control.value = value
        self._is_undoing = False
        self.refresh()

    def image(self):
        """The chosen image, or None where a file is still to be chosen."""
        if self.source.value == OWN:
            return self.own
        return self.shown[self.source.value][self.number.value]

    def change(self):
        """What the controls do to the image."""
        factor, quality = self.factor.value, self.quality.value
        return Change(factor, self.blur.value, self.noise.value, quality)

    def refresh(self, problem=""):
        """Look at the image again, and show what is found.

        Parameters
        ----------
        problem : str
            Shown in place of it.
        """
        if self._is_undoing:
            return
        image = self.image()
        if problem or image is None:
            most = f"{MOST_BYTES // 1_000_000} million bytes"
            hint = f"Choose an image file of at most {most}; its centre is brought to "
            hint += " × ".join(map(str, self.attributor.image_shape_[:2]))
            hint += " pixels, and nothing is kept."
            self._say(problem or hint, kind="file-problem" if problem else "")
            self.view.value = ""
            return
        self.before = self._looked(image)
        self.after = self._looked(changed(image, self.change()))
        coverage = self.attributor.coverage
        self._say(
            verdict_words(self.after, coverage),
            comparison_words(self.before, self.after),
        )
        alt = description(self.before, self.after)
        self.view.value = _img(picture(self.before, self.after, coverage), alt)

    def _looked(self, image):
        key = image.tobytes(), self.closest.value
        if key not in self._known:
            self._known = dict(list(self._known.items())[-20:])
            manifold = self.manifold if self.closest.value == EXACT else None
            self._known[key] = look(self.attributor, image, manifold=manifold)
        return self._known[key]

    def _say(self, first, *more, kind=""):
        rest = "".join(f"<br>{escape(text)}" for text in more)
        self.words.value = (
            f'<p class="{kind}" role="status" aria-live="polite">'
            f"<b>{escape(first)}</b>{rest}</p>"
        )

    def show(self):
        """Display the controls; where there is no kernel, a sentence and a picture."""
        data = dict(self.widget._repr_mimebundle_())
        data["text/html"] = f"<p>{NO_KERNEL}</p>{self.view.value}"
        data["text/plain"] = NO_KERNEL
        display(HTML(GUARD))
        display(data, raw=True)


def _slider(text, kind, value, low, high, step=1):
    options = {"description": text, "continuous_update": False, **FORM}
    return kind(value=value, min=low, max=high, step=step, **options)


def _img(png, alt):
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    size = "width: 100%; min-width: 40em; max-width: 70em"  # a narrow page scrolls it
    image = f'<img src="{source}" alt="{escape(alt)}" style="{size}">'
    return f'<div style="overflow-x: auto" tabindex="0">{image}</div>'
