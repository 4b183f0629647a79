#!/bin/sh
# guide.sh TREE PROGRAMS GUIDE.md...: runs every ```sh block of the guides, in order, in one shell and a new folder.
# A ```bash block needs an installed Halyard: tests/install runs it.
set -eu
HALYARD=$1 PATH=$2:$PATH
export HALYARD PATH
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$@" >"$folder/commands"
test "$(grep -c . "$folder/commands")" -gt 10 || { echo "the guides have no commands"; exit 1; }
cd "$folder"
sh -eux ./commands
