import RabbitMQ
import Testing

@Suite struct `A field table` {
    @Test(arguments: [3, 30_000]) func `keeps one value for each name, the last`(count: Int) {
        let entries = (0..<count).flatMap { number -> [(String, HeaderValue)] in
            [("name \(number)", .boolean(false)), ("name \(number)", .integer(Int64(number)))]
        }
        let table = FieldTable(entries)
        #expect(table.count == count)
        #expect(table["name \(count - 1)"] == .integer(Int64(count - 1)))
    }

    @Test func `is changed by name, and compared without order`() {
        var table: FieldTable = ["a": .integer(1), "b": .integer(2)]
        table["a"] = nil
        table["c"] = .string("x")
        table["b"] = .integer(3)
        #expect(table == ["c": .string("x"), "b": .integer(3)])
        #expect(table != ["c": .string("x"), "d": .integer(3)])
        #expect(table["a"] == nil)
    }
}
