#!/usr/bin/env bash
# Say in an issue that a workflow failed: TITLE, RUN (its address) and GH_TOKEN are given.
# Where an issue of this title is open, add to it.
set -euo pipefail
number=$(gh issue list --repo "$GITHUB_REPOSITORY" --state open \
    --search "\"$TITLE\" in:title" --json number --jq '.[0].number // empty')
if [ -n "$number" ]; then
    gh issue comment "$number" --repo "$GITHUB_REPOSITORY" --body "Again: $RUN"
else
    gh issue create --repo "$GITHUB_REPOSITORY" --title "$TITLE" \
        --body "The weekly run failed: $RUN"
fi
