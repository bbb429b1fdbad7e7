#!/usr/bin/env bash
# try.sh [ROOT]: takes the steps of the Dockerfile where no image can be built, and starts what they make as the container would: as the
# first process of its own, by another user, over a tree that cannot be written, with nothing in its environment but what it is told.
# ROOT is a bare system (debootstrap) that has Node.js in it; without it, a folder of this machine's serves. Needs root, git and unshare.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
root=${1:-}
work=$(mktemp -d "${root}/tmp/muster-try.XXXXXX")
inside=${work#"$root"}
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
say() { echo "try: $*"; }
in_root() { if [ -n "$root" ]; then chroot "$root" "$@"; else "$@"; fi; }

node=$(command -v node)
path=$(dirname "$node"):/usr/local/bin:/usr/bin:/bin
mkdir "$work/src" "$work/data" "$work/home"
git -C "$here" archive HEAD | tar -x -C "$work/src"
in_root env -i PATH="$path" HOME="$inside/home" ${npm_config_registry:+npm_config_registry="$npm_config_registry"} \
  sh "$inside/src/container/build.sh" "$inside/src" "$inside/app"
rm -rf "$work/src"
chown 10001:10001 "$work/data"
chmod 700 "$work/data"
chmod 755 "$work"
say "built: $(du -sh "$work/app" | cut -f1)"

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
settings=(
  PATH="$path" NODE_ENV=production HOST=127.0.0.1 PORT="$port" DATA_DIR="$inside/data" PUBLIC_URL="http://localhost:$port"
  SESSION_SECRET_FILE="$inside/data/session" AZURE_CLIENT_SECRET=not-a-real-one AZURE_AUTHORITY_HOST=http://127.0.0.1:1
  AZURE_CLIENT_ID=33333333-aaaa-4bbb-8ccc-0123456789ab AZURE_TENANT_ID=99999999-aaaa-4bbb-8ccc-0123456789ab
  DEFENDER_API_URL=http://127.0.0.1:1 GRAPH_API_URL=http://127.0.0.1:1 LOG_LEVEL=warn
)
head -c 32 /dev/urandom | base64 >"$work/data/session"
chown 10001 "$work/data/session"
by_user=(${root:+chroot "$root"} env -i "${settings[@]}" setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs)
as_user() { "${by_user[@]}" "$@"; }

as_user sh -c "! touch $inside/app/dist/written 2>/dev/null" || { say "the tree can be written"; exit 1; }
unshare --pid --fork --kill-child "${by_user[@]}" "$node" "$inside/app/dist/main.js" >"$work/out" 2>&1 &
namespace=$!
healthy=no
for _ in $(seq 150); do
  as_user "$node" "$inside/app/container/health.mjs" && healthy=yes && break
  kill -0 "$namespace" 2>/dev/null || break
  sleep 0.2
done
cat "$work/out"
[ "$healthy" = yes ] || { say "it never became healthy"; exit 1; }
first=$(pgrep -P "$namespace" | head -1)
grep -q "^NSpid:.*[[:space:]]1$" "/proc/$first/status" || { say "it is not the first process"; exit 1; }
grep -q "^Uid:[[:space:]]10001" "/proc/$first/status" || { say "it runs as somebody else"; exit 1; }
kill -TERM "$first"
code=0
wait "$namespace" || code=$?
[ "$code" -eq 0 ] || { say "it ended with $code"; exit 1; }
say "healthy as the first process, as user 10001, over a tree that cannot be written; ended in good order on SIGTERM"
