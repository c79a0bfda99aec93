#!/usr/bin/env bash
# What can be said of the systemd units without a systemd that runs: that they are read without a complaint,
# that their exposure is within its bound, and that the user is made. Wants the program built for release.
set -euo pipefail
cd "$(dirname "$0")"

# Of ten, in tenths, as `systemd-analyze security` counts; deploy/README.md says what it is now.
readonly bound=16

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
program=$(realpath ../target/release/trimtab)
# The program is not installed here.
sed "s|^ExecStart=/usr/bin/trimtab |ExecStart=$program |" trimtab.service >"$dir/trimtab.service"
cp trimtab.socket "$dir"
version=$(systemd-analyze --version | awk 'NR == 1 { print int($2) }')
if [ "$version" -lt 253 ]; then
  sed -i '/^Type=notify-reload$/d' "$dir/trimtab.service"
  mkdir "$dir/trimtab.service.d"
  cp older-systemd.conf "$dir/trimtab.service.d"
fi

# It also ends well when it has ignored a line.
complaints=$(systemd-analyze verify --man=no --recursive-errors=no \
  "$dir/trimtab.service" "$dir/trimtab.socket" 2>&1) || true
if [ -n "$complaints" ]; then
  printf '%s\n' "$complaints" >&2
  exit 1
fi

systemd-analyze security --no-pager --offline=true --threshold="$bound" "$dir/trimtab.service" |
  tail -n 1

mkdir -p "$dir/root/etc"
systemd-sysusers --root="$dir/root" "$PWD/trimtab.sysusers"
grep -q '^trimtab:.*:/var/lib/trimtab:' "$dir/root/etc/passwd"
