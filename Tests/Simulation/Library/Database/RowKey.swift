import FoundationEssentials

/// Names one row, or one value of a unique column, for locking.
package enum RowKey: Hashable, Sendable {
    case id(Table, UUID)
    case text(Table, String)

    /// The tables and unique columns of all schemas.
    package enum Table: UInt8, Sendable {
        case inbox, saga, request, intent, journal, event, outbox, undelivered
        case hold, tier, charge, timer, letter, place, interest
    }
}
