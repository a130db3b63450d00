#!/bin/sh
# Run the tests: all of them, or those of the files that are named. With --html, also write coverage as pages.
#   ./run_tests.sh                                 everything, as `make test`
#   ./run_tests.sh tests/unit/model/test_ids.py    one file; anything else that pytest takes may follow
#   ./run_tests.sh --html FILE...                  and htmlcov/index.html (PAGES names another folder)
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-.venv/bin/python}
[ -x "$python" ] || make --no-print-directory .venv/dev

if [ "${1:-}" = --html ]; then
    shift
    set -- --cov "--cov-report=html:${PAGES:-htmlcov}" "$@"
fi
[ $# -gt 0 ] || exec make test
exec "$python" -m pytest "$@"
