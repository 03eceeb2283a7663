# make demo   install docqa into .venv, index docs/ (with a PDF of 38 pages) and ask questions about it
# make serve  the same documents in the browser; prints the address
# make test   run the quick tests in .venv, on all cores; make test-all runs all
# make lint   ruff, mypy, and the direction of imports
# make bench  the benchmarks that need no data, in small sizes

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INDEX := $(VENV)/demo-index

.PHONY: demo serve test test-all lint bench clean

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

demo: $(INSTALLED)
	@echo; echo '$$ docqa index docs'
	@$(BIN)/docqa index docs --index $(INDEX)
	@for question in \
		"In which folder is the index stored by default?" \
		"How many tokens does a window hold by default?" \
		"What is the exit code when the index is missing?" \
		"With which libraries does docqa read PDF files?" \
		"How many candidates does the reader get by default?" \
		"What is the default block size of bzip2?"; do \
		echo; echo "\$$ docqa ask \"$$question\""; \
		$(BIN)/docqa ask "$$question" --index $(INDEX) --top-k 1 || exit 1; \
	done

serve: $(INSTALLED)
	@$(BIN)/docqa index docs --index $(INDEX)
	@$(BIN)/docqa serve --index $(INDEX)

test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-all: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED)
	$(BIN)/python benchmarks/kill.py --kills 5 --files 60
	$(BIN)/python benchmarks/ask.py
	$(BIN)/python benchmarks/start.py
	$(BIN)/python benchmarks/indexing.py
	$(BIN)/python benchmarks/reader.py --questions 4
	$(BIN)/python benchmarks/many.py
	$(BIN)/python benchmarks/serve.py --index $(INDEX) --clients 1 8 --seconds 5
	$(BIN)/python benchmarks/cpu_use.py --index $(INDEX) --questions 8
	$(BIN)/python benchmarks/train.py --steps 3

clean:
	rm -rf $(VENV)
