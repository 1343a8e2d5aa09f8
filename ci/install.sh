#!/usr/bin/env bash
# Installs this checkout into an environment of its own, and lets the next steps find the command.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
environment=${RUNNER_TEMP:-/tmp}/check-invariants
"${PYTHON:-python3}" -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$here"
echo "$environment/bin" >>"${GITHUB_PATH:?this is for a step of GitHub Actions}"
