import CRabbitMQ
import Glibc

/// Lends strings and tables to the library for the time of one call, from one block that is never reallocated.
@safe struct Arena: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private var used = 0

    init(capacity: Int) {
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    /// Takes back all that was lent; earlier results must not be used any more.
    mutating func reset() {
        used = 0
    }

    /// The string's UTF-8 bytes, at an address that stays until `reset`.
    mutating func lend(_ string: String) -> amqp_bytes_t {
        var string = string
        let start = unsafe base + used
        let count = string.withUTF8 { bytes in
            precondition(bytes.count <= capacity - used, "a message larger than the arena was let through")
            if let source = bytes.baseAddress { unsafe memcpy(start, source, bytes.count) }
            return bytes.count
        }
        used += count
        return unsafe amqp_bytes_t(len: count, bytes: start)
    }

    /// The headers as a table, without those of unknown kinds.
    mutating func lend(_ headers: FieldTable) -> amqp_table_t {
        used = (used + 15) & ~15
        let size = unsafe headers.count * MemoryLayout<amqp_table_entry_t>.stride
        precondition(size <= capacity - used, "a message larger than the arena was let through")
        let entries = unsafe (base + used).bindMemory(to: amqp_table_entry_t.self, capacity: headers.count)
        used += size
        var count = 0
        for (key, header) in headers {
            guard let value = unsafe lend(header) else { continue }
            let entry = unsafe amqp_table_entry_t(key: lend(key), value: value)
            unsafe (entries + count).initialize(to: entry)
            count += 1
        }
        return unsafe amqp_table_t(num_entries: Int32(count), entries: entries)
    }

    private mutating func lend(_ header: HeaderValue) -> amqp_field_value_t? {
        var value = unsafe amqp_field_value_t()
        switch header {
        case .string(let text):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
            unsafe value.value.bytes = lend(text)
        case .integer(let number):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_I64.rawValue)
            unsafe value.value.i64 = number
        case .boolean(let flag):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_BOOLEAN.rawValue)
            unsafe value.value.boolean = flag ? 1 : 0
        case .timestamp(let seconds):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_TIMESTAMP.rawValue)
            unsafe value.value.u64 = seconds
        case .double(let number):
            unsafe value.kind = UInt8(AMQP_FIELD_KIND_F64.rawValue)
            unsafe value.value.f64 = number
        case .other: return nil
        }
        return unsafe value
    }
}
