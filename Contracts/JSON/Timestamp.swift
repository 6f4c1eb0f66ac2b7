import FoundationEssentials

/// RFC 3339 times: in UTC with milliseconds when written; with any offset and precision when read.
///
/// All by arithmetic: a calendar library takes the 30th of February for the 2nd of March, and costs as much as all else
/// in a message.
enum Timestamp {
    /// The nearest millisecond; what was read is written as it was.
    ///
    /// A time before 1970 or after 9999, which only our own
    /// code can make, is written as the nearest that there is.
    static func text(of date: Date) -> String {
        let milliseconds = (date.timeIntervalSince1970 * 1_000).rounded()
        return CivilTime(milliseconds: milliseconds > 0 ? min(milliseconds, CivilTime.last) : 0).text
    }

    /// The time of an RFC 3339 `date-time`, cut off to the millisecond; nil for what is none, for a day or hour that the
    /// calendar does not have, and for a time before 1970 or after 9999 in UTC.
    ///
    /// `t` and `z` may be small. A leap second (`23:59:60` in UTC, at the end of June or December) is the second after it.
    static func date(from text: String) -> Date? {
        CivilTime(rfc3339: Array(text.utf8)).map { Date(timeIntervalSince1970: $0.milliseconds / 1_000) }
    }
}

/// A moment in UTC, from 1970 to 9999.
private struct CivilTime {
    private static let millisecondsOfADay = 86_400_000
    /// The last millisecond of the year 9999.
    static let last = 253_402_300_799_999.0

    let day: Int
    let millisecondOfDay: Int

    /// - Parameter milliseconds: since 1970, at least 0 and at most `last`.
    init(milliseconds: Double) {
        day = Int(milliseconds) / Self.millisecondsOfADay
        millisecondOfDay = Int(milliseconds) % Self.millisecondsOfADay
    }

    init?(rfc3339 bytes: [UInt8]) {
        guard bytes.count >= 20, let year = Self.number(bytes, 0, digits: 4, then: "-"),
            let month = Self.number(bytes, 5, digits: 2, then: "-"), (1...12).contains(month),
            let dayOfMonth = Self.number(bytes, 8, digits: 2), dayOfMonth >= 1,
            bytes[10] | 0x20 == UInt8(ascii: "t"),
            let hour = Self.number(bytes, 11, digits: 2, then: ":"), hour < 24,
            let minute = Self.number(bytes, 14, digits: 2, then: ":"), minute < 60,
            let second = Self.number(bytes, 17, digits: 2), second <= 60,
            let (millisecond, end) = Self.fraction(bytes, 19),
            let offset = Self.offset(bytes, end)
        else { return nil }
        let day = Self.day(year: year, month: month, day: dayOfMonth)
        guard day < Self.day(year: year + month / 12, month: month % 12 + 1, day: 1) else { return nil }
        let seconds = day * 86_400 + (hour * 60 + minute - offset) * 60 + min(second, 59)
        guard second < 60 || Self.isBeforeLeap(seconds) else { return nil }
        let milliseconds = second < 60 ? seconds * 1_000 + millisecond : (seconds + 1) * 1_000
        guard milliseconds >= 0, Double(milliseconds) <= Self.last else { return nil }
        self.init(milliseconds: Double(milliseconds))
    }

    /// Digits, and the separator behind them.
    private static func number(
        _ bytes: [UInt8], _ start: Int, digits: Int, then separator: Unicode.Scalar? = nil
    ) -> Int? {
        var number = 0
        for index in start..<start + digits {
            guard let digit = digit(bytes[index]) else { return nil }
            number = number * 10 + digit
        }
        if let separator, bytes[start + digits] != UInt8(ascii: separator) { return nil }
        return number
    }

    private static func digit(_ byte: UInt8) -> Int? {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte ? Int(byte - UInt8(ascii: "0")) : nil
    }

    /// The milliseconds of a fraction with any number of digits, if one stands here, and where it ends.
    private static func fraction(_ bytes: [UInt8], _ start: Int) -> (milliseconds: Int, end: Int)? {
        guard bytes[start] == UInt8(ascii: ".") else { return (0, start) }
        var milliseconds = 0
        var weight = 100
        var end = start + 1
        while end < bytes.count, let digit = digit(bytes[end]) {
            milliseconds += digit * weight
            weight /= 10
            end += 1
        }
        return end > start + 1 ? (milliseconds, end) : nil
    }

    /// The minutes by which the clock of the text is ahead of UTC; nothing may follow.
    private static func offset(_ bytes: [UInt8], _ start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        let sign = bytes[start]
        if sign | 0x20 == UInt8(ascii: "z") { return start + 1 == bytes.count ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), bytes.count == start + 6,
            let hours = number(bytes, start + 1, digits: 2, then: ":"), hours < 24,
            let minutes = number(bytes, start + 4, digits: 2), minutes < 60
        else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }

    /// Whether a leap second may follow this second: leap seconds end a June or a December in UTC.
    private static func isBeforeLeap(_ seconds: Int) -> Bool {
        guard seconds >= 0, seconds % 86_400 == 86_399, Double(seconds) * 1_000 <= last else { return false }
        let (_, month, day) = CivilTime(milliseconds: Double(seconds) * 1_000).date
        return (month == 6 && day == 30) || (month == 12 && day == 31)
    }

    var milliseconds: Double { Double(day * Self.millisecondsOfADay + millisecondOfDay) }

    var text: String {
        let (year, month, dayOfMonth) = date
        let second = millisecondOfDay / 1_000
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        func write(_ number: Int, digits: Int, then separator: Unicode.Scalar) {
            var power = 1
            for _ in 1..<digits { power *= 10 }
            while power > 0 {
                bytes.append(UInt8(ascii: "0") + UInt8(number / power % 10))
                power /= 10
            }
            bytes.append(UInt8(ascii: separator))
        }
        write(year, digits: 4, then: "-")
        write(month, digits: 2, then: "-")
        write(dayOfMonth, digits: 2, then: "T")
        write(second / 3_600, digits: 2, then: ":")
        write(second / 60 % 60, digits: 2, then: ":")
        write(second % 60, digits: 2, then: ".")
        write(millisecondOfDay % 1_000, digits: 3, then: "Z")
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: - Calendar

    // Years are counted from March, so that a leap day is a year's last; 400 years are 146,097 days, and the first of
    // March of year 0 lies 719,468 days before 1970. A month begins on day (153 * month + 2) / 5 of such a year.

    private static func day(year: Int, month: Int, day: Int) -> Int {
        let year = month > 2 ? year : year - 1
        let month = month > 2 ? month - 3 : month + 9
        let beginning = year * 365 + year / 4 - year / 100 + year / 400
        return beginning + (153 * month + 2) / 5 + day - 1 - 719_468
    }

    private var date: (year: Int, month: Int, day: Int) {
        let day = self.day + 719_468
        let cycle = day / 146_097
        let dayOfCycle = day % 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let month = (5 * dayOfYear + 2) / 153
        return (
            cycle * 400 + yearOfCycle + (month < 10 ? 0 : 1), month < 10 ? month + 3 : month - 9,
            dayOfYear - (153 * month + 2) / 5 + 1
        )
    }
}
