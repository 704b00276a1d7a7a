#!/usr/bin/env bash
# Commits files to a branch of their own and keeps one pull request for it.
#   one-pull-request.sh BRANCH TITLE BODY.md FILE...      with GH_TOKEN and GH_REPO in the environment
# Branch, title and file names are the caller's own words; what a stranger wrote is in BODY.md and in the files.
set -euo pipefail
branch=$1 title=$2 body=$3
shift 3

git add -- "$@"
if git diff --cached --quiet; then
  echo "Nothing changed."
  exit 0
fi
git switch --quiet --force-create "$branch"
git -c user.name='github-actions[bot]' -c user.email='41898282+github-actions[bot]@users.noreply.github.com' \
  commit --quiet --message "$title"
gh auth setup-git
git push --quiet --force origin "HEAD:refs/heads/$branch"

text=$(mktemp)
trap 'rm -f "$text"' EXIT
cat -- "$body" >"$text"
printf '\nGitHub starts no checks for a pull request that a workflow opens: close and reopen it to start them.\n' >>"$text"
# a fork may have a branch of the same name
number=$(gh pr list --head "$branch" --state open --json number,isCrossRepository \
  --jq '[.[] | select(.isCrossRepository | not)][0].number // empty')
if [ -n "$number" ]; then
  gh pr edit "$number" --title "$title" --body-file "$text"
else
  gh pr create --head "$branch" --title "$title" --body-file "$text"
fi
