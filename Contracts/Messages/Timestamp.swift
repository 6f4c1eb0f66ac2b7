import FoundationEssentials

/// RFC 3339 times: in UTC with milliseconds when written; with any offset and precision when read.
///
/// What the fleet writes itself is read and written by arithmetic; Foundation's formatter, which reads the rest, costs
/// as much as all else in a message.
enum Timestamp {
    /// The nearest millisecond; what was read is written as it was.
    static func text(of date: Date) -> String {
        let milliseconds = (date.timeIntervalSince1970 * 1_000).rounded()
        guard let time = CivilTime(milliseconds: milliseconds) else {
            // The formatter cuts digits off, and few decimal fractions are exact: without the nudge into the middle of
            // the millisecond a time that is read and written again and again would creep backwards.
            return Date(timeIntervalSince1970: (milliseconds + 0.3) / 1_000)
                .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        }
        return time.text
    }

    static func date(from text: String) -> Date? {
        if let time = CivilTime(text) { return Date(timeIntervalSince1970: time.milliseconds / 1_000) }
        for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()] {
            do { return try style.parse(text) } catch { continue }
        }
        return nil
    }
}

/// A moment in UTC, from 1970 to 9999.
private struct CivilTime {
    private static let millisecondsOfADay = 86_400_000

    let day: Int
    let millisecondOfDay: Int

    init?(milliseconds: Double) {
        guard (0...253_402_300_799_999).contains(milliseconds) else { return nil }
        day = Int(milliseconds) / Self.millisecondsOfADay
        millisecondOfDay = Int(milliseconds) % Self.millisecondsOfADay
    }

    /// Reads `2026-11-21T19:00:00.000Z` and `2026-11-21T19:00:00Z`, nothing else.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 24 || bytes.count == 20, bytes.last == UInt8(ascii: "Z"),
            zip([4, 7, 10, 13, 16], "--T::".utf8).allSatisfy({ bytes[$0] == $1 }),
            bytes.count == 20 || bytes[19] == UInt8(ascii: "."),
            let year = Self.number(bytes[0..<4]), year >= 1970,
            let month = Self.number(bytes[5..<7]), (1...12).contains(month),
            let dayOfMonth = Self.number(bytes[8..<10]), dayOfMonth >= 1,
            let hour = Self.number(bytes[11..<13]), hour < 24,
            let minute = Self.number(bytes[14..<16]), minute < 60,
            let second = Self.number(bytes[17..<19]), second < 60,
            let millisecond = bytes.count == 20 ? 0 : Self.number(bytes[20..<23])
        else { return nil }
        let day = Self.day(year: year, month: month, day: dayOfMonth)
        guard day < Self.day(year: year + month / 12, month: month % 12 + 1, day: 1) else { return nil }
        self.day = day
        millisecondOfDay = ((hour * 60 + minute) * 60 + second) * 1_000 + millisecond
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

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var number = 0
        for digit in digits {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit else { return nil }
            number = number * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return number
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
