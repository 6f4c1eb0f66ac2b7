# The demo: an event goes on sale, somebody buys two tickets, and the saga tells its story.

# request METHOD PATH [CURL-ARGS…]: fills BODY and STATUS.
request() {
    local method=$1 path=$2
    shift 2
    BODY=$(printf 'header = "Authorization: Bearer %s"\n' "$(secret operator)" |
        curl --config - --silent --show-error --max-time 30 --request "$method" --write-out '\n%{http_code}' "$@" "$(turnstile_url)$path") ||
        fail "no answer from $method $path"
    STATUS=${BODY##*$'\n'}
    BODY=${BODY%$'\n'*}
}

# post PATH JSON [CURL-ARGS…]
post() {
    local path=$1 json=$2
    shift 2
    request POST "$path" --header 'Content-Type: application/json' --data "$json" "$@"
}

# json PATH: the value at that path of BODY.
json() { awk -f "$COMPOSE/lib/json.awk" <<<"$BODY" | awk -F '\t' -v path="$1" '$1 == path { print $2 }'; }

demo() {
    ensure_demo_event
    buy_ticket
    if [[ $STATUS == 409 && $(json code) == sold-out ]] || [[ $(json state) == refused ]]; then
        say "the demo event is sold out; publishing another"
        publish_demo_event
        buy_ticket
    fi
    [[ $STATUS == 20[02] ]] || fail "the purchase was not accepted: $STATUS $BODY"
    show_saga "$(json sagaId)"
}

ensure_demo_event() {
    if [[ -s $RUN/demo-event ]]; then
        request GET "/events/$(cat "$RUN/demo-event")"
        [[ $STATUS != 200 ]] || return 0
    fi
    publish_demo_event
}

publish_demo_event() {
    local tiers
    tiers='[{"name":"Standing","price":{"currency":"EUR","minor":4500},"capacity":100},
        {"name":"Balcony","price":{"currency":"EUR","minor":7500},"capacity":6,"seats":["A-1","A-2","A-3","A-4","A-5","A-6"]}]'
    post /events "{\"name\":\"Night of the Turnstiles\",\"startsAt\":\"$(date --utc --date='+60 days' +%Y-%m-%dT20:00:00Z)\",
        \"venue\":{\"name\":\"Old Tram Depot\",\"city\":\"Ghent\",\"latitude\":51.0543,\"longitude\":3.7174},\"tiers\":$tiers}"
    [[ $STATUS == 201 ]] || fail "the demo event was not accepted: $STATUS $BODY"
    json eventId >"$RUN/demo-event"
    await_demo_sale
    say "published the demo event $(cat "$RUN/demo-event")"
}

# An event is on sale when the reservation worker has put its stock up.
await_demo_sale() {
    local began=$SECONDS
    until request GET "/events/$(cat "$RUN/demo-event")/availability" && [[ $(json tiers.0.available) == [1-9]* ]]; do
        ((SECONDS - began < 20)) || fail "the demo event did not go on sale: $STATUS $BODY"
        sleep 0.1
    done
}

buy_ticket() {
    local order
    order=$(date +%s)-$RANDOM
    say "buying two tickets"
    post /saga/start "{\"userId\":\"demo-$order\",\"eventId\":\"$(cat "$RUN/demo-event")\",\"tier\":\"Standing\",\"quantity\":2,
        \"email\":\"demo-$order@example.com\"}" --header 'Prefer: wait=10' --header "Idempotency-Key: demo-$order"
}

show_saga() {
    request GET "/sagas/$1"
    [[ $STATUS == 200 ]] || fail "the saga cannot be read: $STATUS $BODY"
    awk -f "$COMPOSE/lib/json.awk" <<<"$BODY" | awk -f "$COMPOSE/lib/timeline.awk"
    [[ $(json state) == completed ]] || fail "the purchase did not complete within ten seconds"
}
