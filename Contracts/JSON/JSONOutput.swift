import FoundationEssentials

/// The buffer that all containers of one value write to.
final class JSONOutput {
    var buffer: JSONBuffer

    init(orderingKeys: Bool) {
        buffer = JSONBuffer(orderingKeys: orderingKeys)
    }

    func change(_ write: (inout JSONBuffer) throws -> Void) rethrows { try write(&buffer) }

    func write(_ value: some Encodable) throws {
        if type(of: value) == Date.self, let date = value as? Date { return buffer.write(Timestamp.text(of: date)) }
        let depth = buffer.depth
        try value.encode(to: JSONWriter(output: self))
        buffer.close(to: depth)
    }
}
