import Contracts
import FoundationEssentials
import Postgres

/// Sagas to look at: those whose ids come after one and up to another, or some by name.
enum SagaSelection: Sendable {
    case range(after: SagaID?, upTo: SagaID?)
    case some([SagaID])

    private static let first = SagaID(UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
    private static let last = SagaID(
        UUID(uuid: (255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255)))

    /// The condition on a column, with parameters that follow so many others.
    func condition(on column: String, after others: Int = 0) -> String {
        switch self {
        case .range: "\(column) > $\(others + 1) AND \(column) <= $\(others + 2)"
        case .some: "\(column) = ANY($\(others + 1))"
        }
    }

    var parameters: [any PostgresEncodable] {
        switch self {
        case .range(let lower, let upper): [(lower ?? Self.first).uuid, (upper ?? Self.last).uuid]
        case .some(let ids): [ids.map(\.uuid)]
        }
    }
}

/// All sagas in the order of their ids, so many at a time; the last range has no end.
struct SagaRanges {
    let connection: PostgresConnection
    let length: Int

    func forEach(_ body: (SagaSelection) async throws -> Void) async throws {
        var last: SagaID?
        repeat {
            let end = try await connection.query(
                "SELECT id FROM saga WHERE id > $1 ORDER BY id OFFSET $2 LIMIT 1",
                [SagaSelection.range(after: last, upTo: nil).parameters[0], length - 1], as: (UUID).self
            ).first.map { SagaID($0) }
            try await body(.range(after: last, upTo: end))
            last = end
        } while last != nil
    }
}
