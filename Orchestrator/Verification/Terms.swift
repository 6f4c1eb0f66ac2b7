/// What a purchase asked for and learnt, as its holds, charges, letters and tickets must say it: SQL for both sides.
///
/// Each side is one text, so that it can be compared, hashed and shown. `wish` is the saga's request and `known` are its
/// facts, both as JSON.
enum Terms {
    static let ofSaga = (
        hold: """
        concat_ws(' ', wish ->> 'quantity', 'in', wish ->> 'tier', 'of', wish ->> 'eventId', 'for',
            wish ->> 'holdSeconds', 's')
        """,
        charge:
            "concat_ws(' ', wish #>> '{amount,minor}', wish #>> '{amount,currency}', 'by', wish ->> 'paymentMethod')",
        chargeID: "known ->> 'chargeID'",
        letter: """
        concat_ws(' ', hashtextextended(wish ->> 'userId', 0),
            hashtextextended(coalesce(wish ->> 'email', wish ->> 'userId'), 0))
        """,
        ticket: "concat_ws(' ', ticket ->> 'id', ticket ->> 'tier', ticket ->> 'seat', 'for', wish ->> 'userId', 'of', "
            + "wish ->> 'eventId')",
        /// Whether the columns by which a saga is found say what its request says.
        isFiledRightly: "coalesce(event_id::text = wish ->> 'eventId' AND user_id = wish ->> 'userId', false)"
    )

    static let ofHold = """
        concat_ws(' ', quantity, 'in', tier, 'of', event_id, 'for',
            round(extract(epoch FROM deadline - created_at)), 's')
        """
    static let ofCharge = "concat_ws(' ', amount_minor, currency, 'by', method)"
    /// Who gets a letter stands in its schema as hashes.
    static let ofLetter = "concat_ws(' ', user_hash, recipient_hash)"
    static let ofTicket = "concat_ws(' ', id, tier, seat, 'for', user_id, 'of', event_id)"

    /// The sagas of a range with their JSON parsed once; careful is slower, and has NULL where a text is no JSON.
    static func sagas(where condition: String, carefully: Bool = false) -> String {
        let (wish, known) =
            carefully ? ("readable_json(request)", "readable_json(facts)") : ("request::jsonb", "facts::jsonb")
        return """
            (SELECT id, version, state, outcome, wake_at, event_id, user_id, \(wish) AS wish, \(known) AS known
            FROM saga WHERE kind = 'purchase' AND \(condition) OFFSET 0) AS parsed
            """
    }
}
