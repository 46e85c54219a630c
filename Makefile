# Everything below needs Python 3.11 or 3.12 and nothing else; the rest is installed
# into .venv.  `make help` lists the targets.

ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3.12 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
	2>/dev/null && echo $$python && break; done)
endif
BIN := .venv/bin
STAMP := .venv/.installed
# torch and torchvision must be builds of the same kind, or `import torchvision` fails.
TORCH := $(shell grep -E '^torch(vision)?==' constraints.txt)
# Builds without GPU libraries, gigabytes smaller.  Where this host cannot be reached,
# the package registry's builds are taken.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
RUNNER := $(BIN)/manifpt run
RENDER := rm -rf book/_build && \
	$(BIN)/jupyter-book build . --path-output book -W -n --keep-going -q
BOOK_TESTS := tests/book
# Tests run on all cores.  Those of a file share what is slow to make, and so one core
# takes the whole file, in the order of the folders: the last ones are short.  Tests of
# a page of the book share that page only.
PYTEST := $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4

.DEFAULT_GOAL := help
.PHONY: help setup book test unit html kit bench lab app test-all constraints clean distclean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-13s %s\n", $$1, $$2}' Makefile

# A chapter that fails does not keep the others from being rendered; a signal does.
book: $(STAMP)  ## execute all notebooks and render the book
	@$(RUNNER) --profile full; status=$$?; \
	test $$status -le 1 || exit $$status; \
	{ $(RENDER); } || status=1; \
	echo "Open book/_build/html/index.html in a browser."; \
	test $$status = 0 || echo "The book is not complete: what failed is named above." >&2; \
	exit $$status

# Rendering works on one core, so the unit tests begin meanwhile.
test: $(STAMP)  ## lint, unit tests, quick run of all notebooks, tests of the book
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(RUNNER) --profile smoke
	$(MAKE) -j2 html unit
	$(PYTEST) --dist worksteal $(BOOK_TESTS)

unit: $(STAMP)
	$(PYTEST) --dist loadfile --no-loadscope-reorder --ignore=$(BOOK_TESTS)

test-all: export MANIFPT_TESTS = all
test-all: test  ## the same, with all kinds of parameters, not a tenth, and all pages

html: $(STAMP)  ## render the book from what was executed last
	$(RENDER)

kit: $(STAMP)  ## write slides, handouts, questions and a printable PDF into book/kit
	$(BIN)/python -m teaching

bench: $(STAMP)  ## measure speed and memory against other libraries
	$(BIN)/python -m benchmarks

lab: $(STAMP)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks

app: $(STAMP)  ## open the playground in a browser, for this computer alone
	$(BIN)/manifpt app

setup: $(STAMP)  ## install everything into .venv

$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
		2>/dev/null || { echo "Python 3.11 or 3.12 is needed and was not found:" \
		"make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	"$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --constraint constraints.txt --retries 1 \
		--timeout 30 $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) $(TORCH)
	$(BIN)/python -m pip install --constraint constraints.txt -e '.[test,book,zoo,parquet,scale,app]'
	touch $(STAMP)

constraints: $(STAMP)  ## write constraints.txt anew from what .venv holds
	{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --all --exclude pip \
		--exclude-editable | sed -E 's/^(torch[a-z]*==[0-9.]+)\+.*/\1/'; } > .venv/constraints.txt
	mv .venv/constraints.txt constraints.txt
	touch $(STAMP)

clean:  ## remove executed notebooks, the rendered book and cached features
	rm -rf book/_build book/executed book/kit .cache

distclean: clean  ## remove what was installed, too
	rm -rf .venv *.egg-info
