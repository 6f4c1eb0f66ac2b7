import Foundation
import Testing

@testable import Postgres

@Suite struct `Binary codecs` {
    private func bytes(_ value: some PostgresEncodable) -> [UInt8] {
        var bytes: [UInt8] = []
        value.encode(into: &bytes)
        return bytes
    }

    private func survives<Value: PostgresEncodable & PostgresDecodable & Equatable>(_ value: Value) throws {
        let decoded = try Value.decode(bytes(value), type: Value.oid)
        #expect(decoded == value)
    }

    @Test func `integers survive at their extremes`() throws {
        for value in [Int.min, -1, 0, 1, .max] { try survives(value) }
        for value in [Int64.min, 0, .max] { try survives(value) }
        for value in [Int32.min, 0, .max] { try survives(value) }
        for value in [Int16.min, 0, .max] { try survives(value) }
        #expect(bytes(Int32(1)) == [0, 0, 0, 1])
    }

    @Test func `truth and fractions survive`() throws {
        try survives(true)
        try survives(false)
        for value in [0.1, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude] { try survives(value) }
        #expect(try Double.decode(bytes(Double.nan), type: Double.oid).isNaN)
    }

    @Test func `text survives, empty and beyond ASCII`() throws {
        for value in ["", "Grüße 🎟️", "e\u{301}", String(repeating: "x", count: 100_000)] { try survives(value) }
    }

    @Test func `bytes, identifiers and JSON survive`() throws {
        try survives(Data())
        try survives(Data(0...255))
        try survives(UUID())
        try survives(JSONB(Data("{}".utf8)))
        #expect(bytes(JSONB(Data("{}".utf8))) == [1, 0x7B, 0x7D])
    }

    @Test func `dates survive to the microsecond, also before 2000`() throws {
        for seconds in [0, 0.000_001, -978_307_200, -31_622_400.000_001, 820_000_000.123_456] {
            let date = Date(timeIntervalSinceReferenceDate: seconds)
            let decoded = try Date.decode(bytes(date), type: Date.oid)
            #expect(abs(decoded.timeIntervalSince(date)) < 0.000_000_6)
            #expect(bytes(decoded) == bytes(date))
        }
        #expect(bytes(Date(timeIntervalSince1970: 946_684_800)) == bytes(Int64(0)))
    }

    @Test(arguments: [.min + 1, -2_451_545, 0, 2_145_031_948, .max - 1] as [Int32])
    func `any day that a date column holds is read`(day: Int32) throws {
        let bytes = (0..<4).reversed().map { UInt8(truncatingIfNeeded: day >> ($0 * 8)) }
        let date = try Date.decode(bytes, type: 1082)
        #expect((date.timeIntervalSince1970 / 86_400).rounded() == Double(day) + 10_957)
    }

    @Test func `a date out of range becomes an infinity and comes back as the distant one`() throws {
        #expect(bytes(Date(timeIntervalSinceReferenceDate: .infinity)) == bytes(Int64.max))
        #expect(bytes(Date(timeIntervalSinceReferenceDate: -1e14)) == bytes(Int64.min))
        #expect(try Date.decode(bytes(Int64.max), type: Date.oid) == .distantFuture)
        #expect(try Date.decode(bytes(Int64.min), type: Date.oid) == .distantPast)
    }

    @Test func `arrays survive, empty, and with nothing in them`() throws {
        try survives([Int]())
        try survives(["a", "", "c"])
        try survives([UUID(), nil])
        try survives([Int?.none, nil])
        try survives([true, nil, false])
    }

    @Test func `an optional is null only when it is empty`() throws {
        #expect(Optional<Int>.none.isNull)
        #expect(!Optional(1).isNull)
        #expect(Optional(Optional<Int>.none).isNull)
        #expect(try Optional<Int>.decodeNull() == nil)
        #expect(throws: PostgresError.self) { _ = try Int.decodeNull() }
    }

    @Test func `another type than the one expected is refused`() {
        #expect(throws: PostgresError.self) { _ = try Int.decode(bytes(Date.now), type: Date.oid) }
        #expect(throws: PostgresError.self) { _ = try UUID.decode(bytes("x"), type: UUID.oid) }
        #expect(throws: PostgresError.self) { _ = try String.decode(bytes(1), type: Int.oid) }
        #expect(throws: PostgresError.self) { _ = try Int32.decode(bytes(1), type: Int.oid) }
    }

    @Test func `a wider integer reads a narrower column`() throws {
        #expect(try Int.decode(bytes(Int16(-7)), type: Int16.oid) == -7)
        #expect(try Int64.decode(bytes(Int32(-7)), type: Int32.oid) == -7)
    }

    @Test func `a torn array is refused at every length`() {
        let whole = bytes(["one", "two"])
        for length in 0..<whole.count {
            #expect(throws: PostgresError.self) {
                _ = try [String].decode(Array(whole.prefix(length)), type: [String].oid)
            }
        }
    }

    @Test func `text with a NUL is refused before anything is sent`() {
        for value: any PostgresEncodable in ["a\0b", ["a", "b\0"], [nil, "\0"] as [String?]] {
            let error = #expect(throws: PostgresError.self) { _ = try Parameters(of: Statement("SELECT $1", value)) }
            #expect(error?.code == .invalidData)
        }
        #expect(throws: Never.self) { _ = try Parameters(of: Statement("SELECT $1", ["a", ""], Data([0]))) }
    }

    @Test func `a raw value stands for its type`() throws {
        enum Colour: String, PostgresEncodable, PostgresDecodable { case red, green }
        try survives(Colour.green)
        try survives([Colour.red])
        #expect(throws: PostgresError.self) { _ = try Colour.decode(bytes("blue"), type: String.oid) }
    }
}
