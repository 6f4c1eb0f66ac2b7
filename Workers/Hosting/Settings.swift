import Configuration
import Contracts
import Logging
import Postgres
import RabbitMQ
import Redis

/// Everything a process may be told from outside, checked before anything starts.
///
/// Read from the environment; the README's table lists every name, meaning and default.
package struct Settings: Sendable {
    package var databaseURL: String
    package var brokerURL: String
    package var redisURL: String
    /// Put before every Redis key, so that several fleets can share a cache.
    package var redisPrefix: String
    package var httpHost: String
    package var httpPort: Int
    /// The most connections that clients may have open to this process, fewer where descriptors are short.
    package var httpConnections: Int
    /// The most of them from one address; never more than half of all.
    package var httpConnectionsPerAddress: Int
    /// The most purchases that clients may follow at once as streams.
    package var httpStreams: Int
    package var adminHost: String
    /// Where a worker answers health and metrics; 0 leaves the choice to the system.
    package var adminPort: Int
    package var hold: Duration
    package var stepTimeout: Duration
    package var stepAttempts: Int
    package var batch: Int
    package var lanes: Int
    package var paymentProvider: PaymentProvider
    /// Who may use the operators' routes; nobody when there is none.
    package var operatorKeys: [OperatorKey]
    /// RabbitMQ's management API, which knows more of queues than AMQP does.
    package var managementURL: String?
    package var deadLetters: DeadLetters
    package var logLevel: Logger.Level
    package var logFormat: FleetLogHandler.Format

    /// Where dead letters are kept: in the orchestrator's database for operators, or in their queues for other tools.
    package enum DeadLetters: String, Sendable, CaseIterable { case filed, queued }
    package enum PaymentProvider: String, Sendable, CaseIterable { case simulated }

    /// Reads all settings.
    /// - Throws: `SettingsError`, which lists every mistake at once.
    package init(_ reader: ConfigReader) throws(SettingsError) {
        var sheet = SettingsSheet(reader)
        databaseURL = sheet.text("database.url", "postgresql://turnstile@127.0.0.1:5432/turnstile")
        brokerURL = sheet.text("amqp.url", "amqp://guest:guest@127.0.0.1:5672/")
        redisURL = sheet.text("redis.url", "redis://127.0.0.1:6379/0")
        redisPrefix = sheet.text("redis.prefix", "")
        httpHost = sheet.text("http.host", "127.0.0.1")
        httpPort = sheet.integer("http.port", 8080, in: 0...65_535)
        httpConnections = sheet.integer("http.connections", 4_000, in: 8...1_000_000)
        httpConnectionsPerAddress = sheet.integer("http.connections.per.address", 1_000, in: 1...1_000_000)
        httpStreams = sheet.integer("http.streams", 1_000, in: 1...1_000_000)
        adminHost = sheet.text("admin.host", "127.0.0.1")
        adminPort = sheet.integer("admin.port", 0, in: 0...65_535)
        hold = .seconds(sheet.integer("hold.seconds", 900, in: Limits.holdSeconds))
        stepTimeout = .milliseconds(sheet.integer("step.timeout.ms", 30_000, in: 100...3_600_000))
        stepAttempts = sheet.integer("step.attempts", 5, in: 1...100)
        batch = sheet.integer("batch.max", 500, in: 1...1_000)
        lanes = sheet.integer("lanes", 1, in: 1...16)
        paymentProvider = sheet.choice("payment.provider", .simulated)
        operatorKeys = sheet.operatorKeys("operator.keys")
        managementURL = sheet.optional("amqp.management.url")
        deadLetters = sheet.choice("dead.letters", .filed)
        logLevel = sheet.choice("log.level", .info)
        logFormat = sheet.choice("log.format", FleetLogHandler.Format.suitable)
        let (broker, redis) = (brokerURL, redisURL)
        sheet.check("amqp.url") { _ = try BrokerConfiguration(url: broker) }
        sheet.check("redis.url") { _ = try RedisConfiguration(url: redis) }
        guard sheet.mistakes.isEmpty else { throw SettingsError(mistakes: sheet.mistakes) }
    }

    package static func fromEnvironment() throws(SettingsError) -> Settings {
        try Settings(ConfigReader(provider: EnvironmentVariablesProvider()))
    }
}

/// What is wrong with the settings, a line each.
package struct SettingsError: Error, CustomStringConvertible {
    package let mistakes: [String]
    package var description: String { mistakes.joined(separator: "\n") }
}

/// Reads values and gathers what is wrong with them.
private struct SettingsSheet {
    let reader: ConfigReader
    var mistakes: [String] = []

    init(_ reader: ConfigReader) {
        self.reader = reader
    }

    func text(_ key: ConfigKey, _ fallback: String) -> String {
        reader.string(forKey: key, default: fallback)
    }

    func optional(_ key: ConfigKey) -> String? {
        reader.string(forKey: key).flatMap { $0.isEmpty ? nil : $0 }
    }

    mutating func operatorKeys(_ key: ConfigKey) -> [OperatorKey] {
        let pieces = optional(key)?.split(separator: ",") ?? []
        let keys = pieces.compactMap { OperatorKey(String($0)) }
        if keys.count < pieces.count {
            mistakes.append(
                "\(name(of: key)) must be keys of at least \(OperatorKey.shortest) characters, or name:key, with commas "
                    + "between")
        }
        return keys
    }

    mutating func integer(_ key: ConfigKey, _ fallback: Int, in range: ClosedRange<Int>) -> Int {
        guard let text = reader.string(forKey: key) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            mistakes.append("\(name(of: key)) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return fallback
        }
        return number
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: ConfigKey, _ fallback: Choice
    ) -> Choice {
        guard let text = reader.string(forKey: key) else { return fallback }
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            mistakes.append("\(name(of: key)) must be one of \(words)")
            return fallback
        }
        return choice
    }

    mutating func check(_ key: ConfigKey, _ use: () throws -> Void) {
        do {
            try use()
        } catch {
            mistakes.append("\(name(of: key)): \(error)")
        }
    }

    private func name(of key: ConfigKey) -> String {
        key.components.joined(separator: "_").uppercased()
    }
}
