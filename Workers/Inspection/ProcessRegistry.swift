import Contracts
import FleetRuntime
import FoundationEssentials
import Redis
import WireJSON

/// One process of the fleet, as it says of itself.
package struct FleetMember: Codable, Sendable, Equatable {
    /// Tells two lives of one process apart.
    package let id: String
    /// The roles it plays: `orchestrator`, `worker payment`.
    package let process: String
    package let version: String
    package let builtAt: Date?
    package let host: String
    package let pid: Int
    package let startedAt: Date
    /// What its readiness says: ready, degraded or unready.
    package let status: String
    /// The parts that make it degraded or unready; nil from a program that does not say.
    package let troubles: [ComponentReading]?
    package let lanes: [ConsumerReading]
    /// When it was last heard of, by the clock of Redis; the roll's own, not the member's.
    package var seenAt: Date?
    /// Whether it was heard of lately enough.
    package var isLive: Bool?

    package init(
        id: String, process: String, version: String, builtAt: Date?, host: String, pid: Int, startedAt: Date,
        status: String, troubles: [ComponentReading] = [], lanes: [ConsumerReading]
    ) {
        self.id = id
        self.process = process
        self.version = version
        self.builtAt = builtAt
        self.host = host
        self.pid = pid
        self.startedAt = startedAt
        self.status = status
        self.troubles = troubles
        self.lanes = lanes
    }

    /// The roles that it plays.
    package var roles: [FleetRole] {
        let words = process.split(separator: " ").map(String.init)
        if words.first == "worker", words.contains("all") { return FleetRole.workers }
        return FleetRole.allCases.filter { words.contains($0.rawValue) }
    }
}

/// Who is alive: each process signs every few seconds, and who does not is forgotten.
///
/// A hint for operators, and so in Redis: nothing is decided by it, it costs no disk, and it forgets by itself. The
/// times are those of one clock.
package struct ProcessRegistry: Sendable {
    package static let period = Duration.seconds(5)
    /// Three signatures that did not come.
    private static let silence = 15.0

    private let redis: RedisClient
    private let key: String

    package init(_ redis: RedisClient, prefix: String) {
        self.redis = redis
        key = "\(prefix)fleet"
    }

    private static let signing = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local entries = redis.call('HGETALL', KEYS[1])
        for i = 1, #entries, 2 do
            if now - tonumber(string.match(entries[i + 1], '^%d+') or 0) > 60000 then
                redis.call('HDEL', KEYS[1], entries[i])
            end
        end
        redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s', now, ARGV[2]))
        redis.call('PEXPIRE', KEYS[1], 60000)
        return 1
        """)

    private static let reading = RedisScript(
        """
        local time = redis.call('TIME')
        local entries = redis.call('HVALS', KEYS[1])
        table.insert(entries, 1, string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)))
        return entries
        """)

    package func sign(_ member: FleetMember) async throws {
        let text = String(decoding: try WireFormat.encode(member), as: UTF8.self)
        if case .error(let words) = try await redis.evaluate(
            script: Self.signing, keys: [key], arguments: [member.id, text])
        {
            throw RedisError(.serverError(words), detail: "the roll cannot be signed")
        }
    }

    package func leave(_ member: String) async throws {
        _ = try await redis.pipeline([RedisCommand("HDEL", key, member)])
    }

    /// Everybody who signed within the last minute, by process and host.
    package func members() async throws -> [FleetMember] {
        guard case .array(let replies) = try await redis.evaluate(script: Self.reading, keys: [key]),
            let now = replies.first?.text.flatMap(Self.date)
        else { throw RedisError(.connectionLost, detail: "the roll cannot be read") }
        return try replies.dropFirst().compactMap { try $0.text.flatMap { try Self.member($0, at: now) } }
            .sorted { ($0.process, $0.host, $0.startedAt) < ($1.process, $1.host, $1.startedAt) }
    }

    /// `1763730000000 {…}`; what an older or newer program wrote in another form is left out.
    private static func member(_ text: String, at now: Date) throws -> FleetMember? {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let seen = date(String(parts[0])) else { return nil }
        do {
            var member = try WireFormat.decode(FleetMember.self, from: Data(parts[1].utf8))
            member.seenAt = seen
            member.isLive = now.timeIntervalSince(seen) <= silence
            return member
        } catch is DecodingError {
            return nil
        }
    }

    private static func date(_ milliseconds: String) -> Date? {
        Double(milliseconds).flatMap { $0.isFinite ? Date(timeIntervalSince1970: $0 / 1_000) : nil }
    }
}
