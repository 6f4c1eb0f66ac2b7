# The private PostgreSQL: initialised once, TCP on loopback only, a password for its owner.

POSTGRES_USER=postgres

# The newest installed server, or the one that made our data.
postgres_binaries() {
    local version directory
    if [[ -s $DATA/postgres/PG_VERSION ]]; then
        read -r version <"$DATA/postgres/PG_VERSION"
        directory=/usr/lib/postgresql/$version/bin
        [[ -x $directory/postgres ]] ||
            fail "$RUN holds data of PostgreSQL $version, which is not installed; delete it with: compose/dev down --wipe"
    else
        directory=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
        [[ -n $directory ]] || fail "no PostgreSQL under /usr/lib/postgresql"
    fi
    printf '%s' "$directory"
}

postgres_start() {
    local binaries
    running postgres && return
    choose_port postgres "$(first_port 15432)"
    binaries=$(postgres_binaries)
    postgres_initialise "$binaries"
    start_process postgres "$POSTGRES_USER" "$DATA/postgres" "$binaries/postgres" -D "$DATA/postgres" \
        -c listen_addresses=127.0.0.1 -c port="$(port postgres)" -c unix_socket_directories= \
        -c max_connections=200 -c shared_buffers=256MB -c fsync=on -c synchronous_commit=on \
        -c max_wal_size=4GB -c jit=off -c log_line_prefix='%m [%p] %u@%d '
}

# Initialises into a directory beside, so that an interruption leaves nothing half-made.
postgres_initialise() {
    local fresh=$DATA/postgres.new
    [[ ! -s $DATA/postgres/PG_VERSION ]] || return 0
    rm -rf "$DATA/postgres" "$fresh"
    private_directory "$POSTGRES_USER" "$fresh"
    secret postgres | private_file "$POSTGRES_USER" "$DATA/postgres.password"
    (cd "$DATA" && as_user "$POSTGRES_USER" "$1/initdb" --pgdata="$fresh" --username=turnstile --auth=scram-sha-256 \
        --pwfile="$DATA/postgres.password" --encoding=UTF8 --locale=C.UTF-8) >"$RUN/log/initdb.log" 2>&1 || {
        show_tail "$RUN/log/initdb.log"
        fail "initdb failed"
    }
    rm -f "$DATA/postgres.password"
    mv "$fresh" "$DATA/postgres"
}

# psql_as_owner DATABASE ARGS…
psql_as_owner() {
    local database=$1
    shift
    PGPASSWORD=$(secret postgres) "$(postgres_binaries)/psql" --no-psqlrc --quiet --tuples-only --no-align \
        --set ON_ERROR_STOP=1 --host 127.0.0.1 --port "$(port postgres)" --username turnstile --dbname "$database" "$@"
}

postgres_ready() { psql_as_owner postgres --command 'select 1' >/dev/null 2>&1; }

# create_database NAME: unless it is there.
create_database() {
    [[ $(psql_as_owner postgres --command "select 1 from pg_database where datname = '$1'") == 1 ]] ||
        psql_as_owner postgres --command "create database \"$1\""
}

# database_url ROLE PASSWORD [DATABASE]
database_url() { printf 'postgres://%s:%s@127.0.0.1:%s/%s' "$1" "$2" "$(port postgres)" "${3:-turnstile}"; }

postgres_await() {
    await postgres PostgreSQL 60 postgres_ready || return 1
    create_database turnstile || return 1
    say "  PostgreSQL is ready on 127.0.0.1:$(port postgres)"
}
