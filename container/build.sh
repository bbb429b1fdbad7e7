#!/bin/sh
# build.sh SOURCE TARGET: compiles a clone, and puts into an empty folder what production runs and nothing else.
set -eu
source=$1
target=$2
cd "$source"
npm ci --no-audit --no-fund
node build.mjs
mkdir -p "$target/container"
cp -R dist views public package.json package-lock.json check-node.mjs build.mjs LICENSE CHANGELOG.md "$target/"
cp container/health.mjs "$target/container/"
cd "$target"
npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# For everybody to read, for nobody to change.
chmod -R a+rX,a-w "$target"
