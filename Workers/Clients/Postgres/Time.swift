import FoundationEssentials

/// A `timestamptz`: microseconds since 2000-01-01 UTC; a date beyond PostgreSQL's range becomes an infinity.
extension Date: PostgresEncodable {
    package static var oid: UInt32 { 1184 }
    package static var arrayOID: UInt32 { 1185 }

    package func encode(into bytes: inout [UInt8]) {
        bytes.appendBigEndian(microsecondsSince2000)
    }

    private var microsecondsSince2000: Int64 {
        precondition(!timeIntervalSinceReferenceDate.isNaN, "a date that is not a number was given to PostgreSQL")
        let microseconds = ((timeIntervalSinceReferenceDate + PostgresTime.year2000) * 1_000_000).rounded()
        if microseconds >= PostgresTime.end { return .max }
        return microseconds < PostgresTime.earliest ? .min : Int64(microseconds)
    }
}

/// Reads `timestamptz`, `timestamp` (as UTC) and `date` (midnight UTC); an infinity becomes the distant past or future.
extension Date: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Date {
        switch (type, bytes.byteCount) {
        case (oid, 8), (1114, 8):
            let microseconds = bytes.bigEndian(Int64.self, at: 0)
            if microseconds == .max { return .distantFuture }
            return microseconds == .min ? .distantPast : Date(microsecondsSince2000: microseconds)
        case (1082, 4):
            let days = bytes.bigEndian(Int32.self, at: 0)
            if days == .max { return .distantFuture }
            // The last day that PostgreSQL knows has more microseconds than 64 bits count.
            return days == .min
                ? .distantPast : Date(timeIntervalSinceReferenceDate: Double(days) * 86_400 - PostgresTime.year2000)
        default: throw .misfit(type, bytes.byteCount, as: Self.self)
        }
    }

    private init(microsecondsSince2000 microseconds: Int64) {
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        self.init(timeIntervalSinceReferenceDate: Double(seconds) - PostgresTime.year2000 + Double(rest) / 1_000_000)
    }
}

/// The bounds of PostgreSQL's time, counted in its own units.
private enum PostgresTime {
    /// Seconds from 2000-01-01, where PostgreSQL counts from, to 2001-01-01, where Foundation does.
    static let year2000 = 31_622_400.0
    /// The first microsecond of the year 294277, just past the end.
    static let end = 9_223_371_331_200_000_000.0
    /// 4714-11-24 BC, the first day.
    static let earliest = -211_813_488_000_000_000.0
}
