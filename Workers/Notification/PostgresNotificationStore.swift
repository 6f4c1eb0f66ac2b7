import Contracts
import FoundationEssentials
import Postgres

/// Letters and attempts in the schema `notification`.
package struct PostgresNotificationStore: NotificationStore {
    package init() {}

    /// Records the attempts in a transaction whose commit does not wait for the disk.
    ///
    /// It is safe from a crash of ours, and a crash of the server loses it only with the result: then the letter goes
    /// out again, as it would with the attempt on record.
    package func begin(
        _ letters: [RenderedMessage], through channel: String, by desk: UUID, for lease: Duration,
        in transaction: Transaction
    ) async throws -> [LetterKey: Standing] {
        guard !letters.isEmpty else { return [:] }
        let rows = try await transaction.query(
            """
            INSERT INTO notification AS known
                (saga_id, template, channel, user_id, recipient, subject, claimed_by, claimed_until)
            SELECT saga_id, template, $6, user_id, recipient, subject, $7, now() + $8::bigint * interval '1 second'
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
                AS wanted (saga_id, template, user_id, recipient, subject),
                set_config('synchronous_commit', 'off', true)
            ORDER BY saga_id, template
            ON CONFLICT (saga_id, template) DO UPDATE
            SET attempts = known.attempts + 1, channel = excluded.channel, recipient = excluded.recipient,
                claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until
            WHERE known.status = 'pending'
                AND (known.claimed_until IS NULL OR known.claimed_until <= now() OR known.claimed_by = $7)
            RETURNING saga_id, template, attempts
            """,
            [
                letters.map(\.key.sagaID.uuid), letters.map(\.key.template.rawValue), letters.map(\.userID),
                letters.map(\.recipient), letters.map(\.subject), channel, desk, Int(lease.components.seconds),
            ],
            as: (UUID, String, Int).self)
        var standings: [LetterKey: Standing] = [:]
        for (sagaID, template, attempts) in rows {
            standings[try LetterKey(sagaID, template)] = .ours(attempt: attempts)
        }
        let others = letters.map(\.key).filter { standings[$0] == nil }
        return standings.merging(try await look(at: others, in: transaction)) { $1 }
    }

    private func look(at keys: [LetterKey], in transaction: Transaction) async throws -> [LetterKey: Standing] {
        guard !keys.isEmpty else { return [:] }
        let rows = try await transaction.query(
            """
            SELECT saga_id, template, channel, status, failure, extract(epoch FROM claimed_until - now())::float8
            FROM notification
            JOIN unnest($1::uuid[], $2::text[]) AS wanted (saga_id, template) USING (saga_id, template)
            """,
            [keys.map(\.sagaID.uuid), keys.map(\.template.rawValue)],
            as: (UUID, String, String, String, String?, Double?).self)
        var standings: [LetterKey: Standing] = [:]
        for (sagaID, template, channel, status, failure, claim) in rows {
            standings[try LetterKey(sagaID, template)] =
                switch (status, failure) {
                case ("delivered", _): .delivered(channel: channel)
                case ("failed", let reason?): .failed(reason: reason)
                default: .elsewhere(.seconds(claim ?? 0))
                }
        }
        return standings
    }

    package func conclude(
        _ reports: [AttemptReport], through channel: String, in transaction: Transaction
    ) {
        guard !reports.isEmpty else { return }
        let keys: [any PostgresEncodable] = [reports.map(\.key.sagaID.uuid), reports.map(\.key.template.rawValue)]
        let words = reports.map(\.result.word)
        let details = reports.map(\.result.detail)
        transaction.postpone([
            Statement(
                """
                INSERT INTO attempt (saga_id, template, number, channel, outcome, detail)
                SELECT saga_id, template, number, $6, outcome, detail
                FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[])
                    AS ended (saga_id, template, outcome, detail, number)
                """,
                parameters: keys + [words, details, reports.map(\.number), channel]),
            Statement(
                """
                UPDATE notification
                SET status = CASE outcome WHEN 'delivered' THEN outcome WHEN 'refused' THEN 'failed' ELSE status END,
                    delivered_at = CASE outcome WHEN 'delivered' THEN now() END,
                    failure = CASE outcome WHEN 'refused' THEN detail END,
                    claimed_by = NULL, claimed_until = NULL
                FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
                    AS ended (saga_id, template, outcome, detail)
                WHERE notification.saga_id = ended.saga_id AND notification.template = ended.template
                    AND notification.status = 'pending'
                """,
                parameters: keys + [words, details]),
        ])
    }
}

extension LetterKey {
    fileprivate init(_ sagaID: UUID, _ template: String) throws {
        guard let template = SendNotification.Template(rawValue: template) else {
            throw PostgresError(.decoding, operation: "notification", detail: "no template is called \(template)")
        }
        self.init(sagaID: SagaID(sagaID), template: template)
    }
}

extension DeliveryResult {
    fileprivate var word: String {
        switch self {
        case .delivered: "delivered"
        case .refused: "refused"
        case .failed: "failed"
        }
    }

    fileprivate var detail: String? {
        switch self {
        case .delivered: nil
        case .refused(let reason), .failed(let reason): reason
        }
    }
}
