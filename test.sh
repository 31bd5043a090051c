#!/usr/bin/env bash
# Restores, builds and tests everything. The last line says how it went: "N passed, N failed". Exit code 0 only when all passed.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: ./test.sh [--long] [--filter TEXT]... [-- RUNNER-OPTION...]

  --long          the long campaigns in full (hours); otherwise their short version with fixed seeds
  --filter TEXT   only tests whose full name (namespace.class.method) contains TEXT; several: any of them
  -- …            everything behind it goes to the xunit runner as it is, for instance: -- -class FlashSale.Tests.Server.TestServerTests

A skipped test counts as failed, and so does a run without a report. Reports are written to artifacts/tests/.
TEXT
}

# What the tests call and a bare Debian does not have: "command package", or "file package", one a line.
packages() {
  cat <<'TEXT'
mount mount
mariadbd mariadb-server
redis-server redis-server
redis-sentinel redis-sentinel
redis-cli redis-tools
nginx nginx
/usr/lib/nginx/modules/ngx_http_lua_module.so libnginx-mod-http-lua
/usr/share/lua/5.1/resty/core.lua lua-resty-core
/usr/share/lua/5.1/resty/lrucache.lua lua-resty-lrucache
/usr/share/lua/5.1/cjson/util.lua lua-cjson
chromium chromium
node nodejs
npm npm
prometheus prometheus
promtool prometheus
jq jq
sqlite3 sqlite3
openssl openssl
systemd-analyze systemd
TEXT
}

say() { printf '\n== %s\n' "$*"; }

# The last line, whatever happened.
finish() {
  printf '%d passed, %d failed\n' "$1" "$2"
  [ "$1" -gt 0 ] && [ "$2" -eq 0 ] && exit 0
  exit 1
}

# The sum of an attribute over all <assembly> elements of the report.
sum() {
  awk -v RS='<' -v name=" $1=\"" '
    /^assembly / { at = index($0, name); if (at) { n += substr($0, at + length(name)) + 0 } }
    END { print n + 0 }' "$report"
}

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
options=()
patience=45m
while [ $# -gt 0 ]; do
  case "$1" in
    --long) export FLASHSALE_TESTS=long; patience=12h ;;
    --filter) [ $# -ge 2 ] || { usage >&2; exit 2; }; options+=(-method "*$2*"); shift ;;
    --) shift; options+=("$@"); break ;;
    -h|--help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

# Servers live in sbin, which is not in everybody's path.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
missing=()
while read -r command package; do
  [ -e "$command" ] || command -v "$command" >/dev/null || missing+=("$package")
done < <(packages)
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq || finish 0 1
  # RUNLEVEL=1: the tests start servers of their own, and the packages none beside them.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" || finish 0 1
fi

# No process of the build stays behind: it would hold our output open, and memory that the tests need.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
say "restoring"
dotnet restore FlashSale.slnx --locked-mode || finish 0 1
say "building"
dotnet build FlashSale.slnx -c Release --no-restore -warnaserror -p:UseSharedCompilation=false || finish 0 1

# What the scripts of the pages are built and checked with. No package's own scripts are run: they need none.
for script in src/Server/Storefront/Script src/Server/Console/Script; do
  if [ ! "$script/node_modules/.package-lock.json" -nt "$script/package-lock.json" ]; then
    say "installing what $script is built with"
    (cd "$script" && npm ci --ignore-scripts --no-audit --no-fund --silent) || finish 0 1
  fi
done

say "testing"
mkdir -p artifacts/tests
report=artifacts/tests/report.xml
rm -f "$report"
code=0
timeout --kill-after=60 "$patience" \
  dotnet artifacts/bin/Tests/release/FlashSale.Tests.dll -noLogo -noColor -xml "$report" ${options[@]+"${options[@]}"} || code=$?

if [ ! -s "$report" ]; then
  echo "The test runner ended with exit code $code and left no report."
  finish 0 1
fi

passed=$(sum passed)
failed=$(sum failed)
skipped=$(sum skipped)
errors=$(sum errors)
echo
[ "$skipped" -eq 0 ] || echo "$skipped skipped tests count as failed."
[ "$errors" -eq 0 ] || echo "$errors errors outside of tests count as failed."
failed=$((failed + skipped + errors))
if [ "$((passed + failed))" -eq 0 ]; then
  echo "No test was run."
  failed=1
elif [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
  echo "The test runner ended with exit code $code."
  failed=1
fi

finish "$passed" "$failed"
