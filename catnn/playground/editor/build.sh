#!/bin/sh
# Build ../editor.min.js from editor.js and the packages of package.json. Needs Node; nothing else of catnn does.
set -eu
cd "$(dirname "$0")"
npm install --no-audit --no-fund
npx esbuild editor.js --bundle --minify --format=esm --target=es2022 --charset=utf8 --legal-comments=none \
    --outfile=../editor.min.js
rm -rf node_modules package-lock.json
