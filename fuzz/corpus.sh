#!/usr/bin/env bash
# The corpus of a fuzz target: from the lines of tests/fixtures/fuzz/TARGET.hex to files in
# fuzz/corpus/TARGET, which the fuzzer reads and adds to, and back to as few lines as reach the same.
set -euo pipefail
cd "$(dirname "$0")"

usage="usage: corpus.sh unpack|pack TARGET"
verb=${1:?$usage} target=${2:?$usage}
lines=../tests/fixtures/fuzz/$target.hex

case $verb in
unpack)
  mkdir -p "corpus/$target"
  number=0
  while read -r line; do
    number=$((number + 1))
    xxd -r -p <<<"$line" >"corpus/$target/committed-$number"
  done <"$lines"
  ;;
pack)
  few=$(mktemp -d)
  trap 'rm -rf "$few"' EXIT
  cargo +nightly fuzz run "$target" -- -set_cover_merge=1 "$few" "corpus/$target"
  find "$few" -type f -size -"${MOST:-2048}"c -exec xxd -p -c 0 {} \; | LC_ALL=C sort -u >"$lines"
  wc -lc "$lines"
  ;;
*)
  echo "$usage" >&2
  exit 1
  ;;
esac
