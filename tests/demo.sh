#!/usr/bin/env bash
# Runs what the README shows against a demo that is running, and checks what comes back:
# an answer for each policy; a region broken, answers elsewhere; mended, and back.
#
# Needs dig, kdig and curl. Changes nothing but the demo's regions, which it leaves mended.
set -euo pipefail

readonly server=127.0.0.1 port=5300 admin=http://127.0.0.1:9953
readonly east=127.0.1.1 west=127.0.1.2 south=127.0.1.3
# The demo's detection: fall × interval + timeout = 3.5 s. The rest is for a busy machine.
readonly within_ms=6000

batch=$(mktemp)
finish() {
  rm -f "$batch"
  for address in "$east" "$west" "$south"; do
    curl -fs -X POST "http://$address:8080/mend" >/dev/null || true
  done
}
trap finish EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
pass() { echo "ok: $*"; }

# One answer's data, a line a record; nothing for NODATA. Fails when no reply comes.
ask() { dig @"$server" -p "$port" +short +tries=1 +time=2 "$@"; }

# The answers to COUNT queries for the A of NAME, one a line; every query must be answered.
many() { # NAME COUNT
  local i lines
  for ((i = 0; i < $2; i++)); do echo "$1 A"; done >"$batch"
  lines=$(dig @"$server" -p "$port" +short +tries=1 +time=2 -f "$batch") || return 1
  [ "$(grep -c "^127\." <<<"$lines")" = "$2" ] || fail "$1: not $2 answers but: $lines"
  echo "$lines"
}

# How many of the lines are exactly ADDRESS.
count() { # ADDRESS LINES
  grep -cxF -- "$1" <<<"$2" || true
}

# The response code of one query.
status() { dig @"$server" -p "$port" +tries=1 +time=2 +noall +comments "$@" |
  sed -n 's/.*status: \([A-Z]*\).*/\1/p'; }

ttl() { dig @"$server" -p "$port" +tries=1 +time=2 +noall +answer "$1" A |
  awk 'NR == 1 { print $2 }'; }

region() { # ADDRESS break|mend
  curl -fsS -X POST "http://$1:8080/$2"
}

# Whether one answer for the A of NAME is ADDRESS; "" stands for NODATA.
answers() { # NAME ADDRESS
  [ "$(ask "$1" A)" = "$2" ]
}

# Whether 30 answers for NAME are without ADDRESS: by chance once in 10^11 for a share of 60 %.
without() { # NAME ADDRESS
  local lines
  lines=$(many "$1" 30) || return 1
  [ "$(count "$2" "$lines")" = 0 ]
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# Polls until COMMAND succeeds, and says after how long.
becomes() { # WHAT COMMAND…
  local what=$1 start
  shift
  start=$(now_ms)
  until "$@"; do
    [ $(($(now_ms) - start)) -lt "$within_ms" ] || fail "$what: not within $within_ms ms"
    sleep 0.05
  done
  pass "$what, after $(($(now_ms) - start)) ms"
}

# Between LOW and HIGH of the lines are ADDRESS.
share() { # WHAT ADDRESS LINES LOW HIGH
  local n
  n=$(count "$2" "$3")
  [ "$n" -ge "$4" ] && [ "$n" -le "$5" ] || fail "$1: $n answers are $2, expected $4 to $5"
  pass "$1: $n answers are $2, expected $4 to $5"
}

all_down() { # NAME 0|1
  local metrics
  metrics=$(curl -fsS "$admin/metrics")
  grep -Eq "^trimtab_record_all_down\{record=\"${1//./\\.}\.?\"\} $2\$" <<<"$metrics"
}

# Before anything else: every region up.
for address in "$east" "$west" "$south"; do region "$address" mend >/dev/null; done
becomes "us-east is up" answers region.demo.test "$east"
becomes "eu-west is up" answers failover.demo.test "$west"
[ "$(curl -fsS "$admin/healthz")" = ok ] || fail "/healthz"
curl -fsS "$admin/readyz" >/dev/null || fail "/readyz"
curl -fsS "http://$east:8080/" | grep -F us-east >/dev/null || fail "us-east does not say its name"
pass "/healthz, /readyz and the regions answer"

# The zone's own data, and what does not exist.
[ -n "$(ask demo.test SOA)" ] || fail "demo.test has no SOA"
[ "$(status nosuchname.demo.test A)" = NXDOMAIN ] || fail "a name that does not exist"
[ "$(status example.org A)" = REFUSED ] || fail "a name outside the zone"
[ "$(status app.demo.test AAAA)" = NOERROR ] || fail "a family that no region has"
[ -z "$(ask app.demo.test AAAA)" ] || fail "AAAA of regions without IPv6"
pass "static data, NXDOMAIN, REFUSED and NODATA"

# Each policy. Bounds are five standard deviations wide.
lines=$(many app.demo.test 400)
share "app, weight 60" "$east" "$lines" 191 289
share "app, weight 30" "$west" "$lines" 75 165
share "app, weight 10" "$south" "$lines" 10 70
lines=$(many canary.demo.test 400)
share "canary, 95 %" "$east" "$lines" 358 399
share "canary, 5 %" "$west" "$lines" 1 42
share "canary, standby" "$south" "$lines" 0 0
lines=$(many tiers.demo.test 200)
share "tiers, the second tier" "$south" "$lines" 0 0
share "tiers, the first tier" "$west" "$lines" 36 98
lines=$(many pinned.demo.test 200)
share "pinned, a region that is not listed" "$east" "$lines" 0 0
share "pinned, weight 30 of 40" "$west" "$lines" 120 180
share "failover" "$west" "$(many failover.demo.test 20)" 20 20
share "region" "$east" "$(many region.demo.test 20)" 20 20

# Where the client is: subnets that the demo's networks place in Germany, California and Japan.
readonly german=192.0.2.0/24 californian=198.51.100.0/24 japanese=203.0.113.0/24
placed() { # NAME SUBNET ADDRESS SCOPE
  local reply
  reply=$(dig @"$server" -p "$port" +tries=1 +time=2 +subnet="$2" "$1" A)
  grep -q "CLIENT-SUBNET: $2/$4\$" <<<"$reply" || fail "$1 for $2: not the scope /$4: $reply"
  [ "$(awk '$3 == "IN" && $4 == "A" { print $5 }' <<<"$reply")" = "$3" ] ||
    fail "$1 for $2: not $3: $reply"
}
placed geo.demo.test "$german" "$west" 24
placed geo.demo.test "$californian" "$east" 24
placed geo.demo.test "$japanese" "$south" 24
placed geo.demo.test 2001:db8:de::/48 "$west" 48
placed latency.demo.test "$german" "$west" 24
placed latency.demo.test "$californian" "$east" 24
placed near.demo.test "$japanese" "$south" 24
placed region.demo.test "$german" "$east" 0
pass "geo, latency and near, each for a German, a Californian or a Japanese"
sticks=$(ask +subnet=8.8.8.0/24 sticky.demo.test A)
for _ in 1 2 3 4 5 6 7 8; do
  placed sticky.demo.test 8.8.8.0/24 "$sticks" 24
done
pass "sticky keeps 8.8.8.0/24 to $sticks"
[ "$(ask many.demo.test A | sort -u | wc -l)" = 2 ] || fail "many does not answer two addresses"
pass "many answers two addresses at once"

# TCP, and a second client.
[ "$(ask +tcp region.demo.test A)" = "$east" ] || fail "dig over TCP"
[ "$(kdig @"$server" -p "$port" +tcp +short +timeout=2 region.demo.test A)" = "$east" ] ||
  fail "kdig over TCP"
pass "TCP"

# One region breaks: answers leave it. It is mended: they come back.
[ "$(ttl app.demo.test)" -le 5 ] || fail "the TTL is over 5"
region "$east" break
becomes "a plain region is NODATA" answers region.demo.test ""
becomes "app leaves us-east" without app.demo.test "$east"
without tiers.demo.test "$east" || fail "tiers still answers us-east"
without canary.demo.test "$east" || fail "canary still answers us-east"
without canary.demo.test "$south" || fail "the standby is used though eu-west is up"
[ "$(status region.demo.test A)" = NOERROR ] || fail "NODATA must be NOERROR"
region "$east" mend
becomes "a plain region is back" answers region.demo.test "$east"
share "app, weight 60, mended" "$east" "$(many app.demo.test 400)" 191 289

# The first of a failover breaks: the second answers. Both: the third.
region "$west" break
becomes "failover to us-east" answers failover.demo.test "$east"
# To Germans the two that are left are about as far: they share by weight.
for name in geo.demo.test latency.demo.test; do
  case $(ask +subnet="$german" "$name" A) in
    "$east" | "$south") ;;
    *) fail "$name for $german: not one of those that are up" ;;
  esac
done
placed geo.demo.test "$californian" "$east" 24
placed geo.demo.test "$japanese" "$south" 24
pass "Germans go to regions that are up, and nobody else moves"
region "$east" break
becomes "failover to ap-south" answers failover.demo.test "$south"
becomes "the standby of canary" answers canary.demo.test "$south"
becomes "the second tier" answers tiers.demo.test "$south"

# Nothing is left: better a perhaps dead answer than none, and a short TTL.
region "$south" break
becomes "all down, which the metric tells" all_down app.demo.test 1
[ "$(ttl app.demo.test)" = 1 ] || fail "all down, and the TTL is not ttl_min"
share "all down, weight 60" "$east" "$(many app.demo.test 400)" 191 289
answers region.demo.test "" || fail "closed means NODATA when all is down"

for address in "$east" "$west" "$south"; do region "$address" mend; done
becomes "failover is back" answers failover.demo.test "$west"
becomes "all down is over" all_down app.demo.test 0
becomes "a plain region is back" answers region.demo.test "$east"
echo "The demo does what it says."
