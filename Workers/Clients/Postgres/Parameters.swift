/// A statement's parameters, laid out the way libpq takes them.
struct Parameters {
    private(set) var oids: [UInt32] = []
    private var bytes: [UInt8] = []
    /// Where each value lies; nil for NULL.
    private var places: [Range<Int>?] = []

    /// Encodes every value, or refuses the statement before anything of it is sent.
    init(of statement: Statement) throws(PostgresError) {
        oids.reserveCapacity(statement.parameters.count)
        places.reserveCapacity(statement.parameters.count)
        for parameter in statement.parameters {
            let type = Swift.type(of: parameter).oid
            oids.append(type)
            guard !parameter.isNull else {
                places.append(nil)
                continue
            }
            let start = bytes.count
            parameter.encode(into: &bytes)
            places.append(start..<bytes.count)
            if hasNUL(start..<bytes.count, type: type) {
                throw PostgresError(
                    .invalidData, sql: statement.sql,
                    detail: "$\(places.count) holds a NUL character, which PostgreSQL's text cannot hold")
            }
        }
        guard places.count <= UInt16.max, bytes.count <= Int32.max else {
            throw PostgresError(
                .invalidData, sql: statement.sql, detail: "the parameters are too many or too large")
        }
        // A value of no bytes still needs an address to start at.
        bytes.append(0)
    }

    /// Lends the arrays that `PQsendQueryPrepared` reads: values, lengths and formats (1, binary).
    func withPointers<Result>(
        _ body: (
            _ values: UnsafePointer<UnsafePointer<CChar>?>, _ lengths: UnsafePointer<Int32>,
            _ formats: UnsafePointer<Int32>
        ) -> Result
    ) -> Result {
        let lengths = places.map { Int32($0?.count ?? 0) } + [0]
        let formats = [Int32](repeating: 1, count: places.count + 1)
        return unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            var values = unsafe places.map { place in unsafe place.flatMap { unsafe start?.advanced(by: $0.lowerBound) }
            }
            unsafe values.append(nil)
            return unsafe body(values, lengths, formats)
        }
    }

    private func hasNUL(_ place: Range<Int>, type: UInt32) -> Bool {
        switch type {
        case String.oid: bytes[place].contains(0)
        case String.arrayOID: elementHasNUL(place)
        default: false
        }
    }

    /// Walks an encoded array of text; its header takes 20 bytes, each element four and its own.
    private func elementHasNUL(_ place: Range<Int>) -> Bool {
        var offset = place.lowerBound + 20
        while offset + 4 <= place.upperBound {
            let length = bytes[offset..<offset + 4].reduce(Int32(0)) { $0 << 8 | Int32($1) }
            offset += 4
            guard length > 0 else { continue }
            if bytes[offset..<offset + Int(length)].contains(0) { return true }
            offset += Int(length)
        }
        return false
    }
}
