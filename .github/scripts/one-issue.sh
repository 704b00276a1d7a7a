#!/usr/bin/env bash
# Keeps one open issue for a report: opens it, renews its text, closes it where nothing is left to tell.
#   one-issue.sh NAME TITLE REPORT.md      with GH_TOKEN and GH_REPO in the environment
# The issue is known by a hidden mark at the start of its text, and only if a workflow opened it: anybody can write the
# mark into an issue of their own. The text comes from a file, so that nothing in it reaches a shell.
set -euo pipefail
name=$1 title=$2 report=$3

mark="<!-- atlas-upkeep:$name -->"
number=$(MARK=$mark gh issue list --state open --app github-actions --limit 200 --json number,body \
  --jq '[.[] | select(.body | startswith(env.MARK))][0].number // empty')

if [ ! -s "$report" ]; then
  if [ -n "$number" ]; then
    gh issue close "$number" --comment "Nothing is left to look at."
  fi
  exit 0
fi

body=$(mktemp)
trap 'rm -f "$body"' EXIT
{ printf '%s\n\n' "$mark"; cat -- "$report"; } >"$body"
if [ -n "$number" ]; then
  gh issue edit "$number" --body-file "$body"
else
  gh issue create --title "$title" --body-file "$body"
fi
