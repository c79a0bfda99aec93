#!/usr/bin/env bash
# Fetches the geolocation databases that tests/databases.rs and benches/places.rs want into
# target/databases: DB-IP's lite databases as packaged by ip-location-db.
#
# They are licensed under CC BY 4.0: IP Geolocation by DB-IP (https://db-ip.com). Needs npm and tar.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly to=target/databases
readonly -A packages=(
  [dbip-country-mmdb]=2.3.2026060120
  [dbip-city-mmdb]=2.3.2026060513
)
mkdir -p "$to"
for name in "${!packages[@]}"; do
  version=${packages[$name]}
  done="$to/.$name-$version"
  [ ! -e "$done" ] || continue
  unpacked=$(mktemp -d "$to/unpack.XXXXXX")
  npm pack --silent --pack-destination "$unpacked" "@ip-location-db/$name@$version" >/dev/null
  tar -xzf "$unpacked"/*.tgz -C "$unpacked"
  mv "$unpacked"/package/*.mmdb "$to/"
  mv "$unpacked"/package/DBIP-LICENSE "$to/LICENSE-$name"
  rm -r "$unpacked"
  : >"$done"
done
ls -l "$to"
