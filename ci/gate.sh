#!/usr/bin/env bash
# Runs the gate for a step of GitHub Actions: annotations and the summary of the step, and a file for each report that is named.
# The inputs of action.yml come as variables, so that nothing in them is read as a command; ARGUMENTS is words between spaces.
set -euo pipefail
words=(gate)
if [ -n "${CONFIG:-}" ]; then words+=("$CONFIG"); fi
words+=(--github)
if [ -n "${JUNIT:-}" ]; then words+=(--junit "$JUNIT"); fi
if [ -n "${SARIF:-}" ]; then words+=(--sarif "$SARIF"); fi
if [ -n "${MARKDOWN:-}" ]; then words+=(--markdown "$MARKDOWN"); fi
read -r -a more <<<"${ARGUMENTS:-}"
exec check-invariants "${words[@]}" ${more[@]+"${more[@]}"}
