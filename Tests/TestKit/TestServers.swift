import Foundation

/// The servers that `compose/dev test` started; suites that need them are skipped where there are none.
package enum TestServers {
    package static let databaseURL = ProcessInfo.processInfo.environment["DATABASE_URL"]
    package static let brokerURL = ProcessInfo.processInfo.environment["AMQP_URL"]
    package static let managementURL = ProcessInfo.processInfo.environment["AMQP_MANAGEMENT_URL"]
    package static let redisURL = ProcessInfo.processInfo.environment["REDIS_URL"]

    package static var haveDatabase: Bool { databaseURL != nil }
    package static var haveAll: Bool {
        databaseURL != nil && brokerURL != nil && managementURL != nil && redisURL != nil
    }
}

/// A short random name for something that belongs to one test.
package func uniqueName(_ prefix: String) -> String {
    "\(prefix)_\(UInt64.random(in: 0...UInt64.max), radix: 36)"
}

extension DefaultStringInterpolation {
    fileprivate mutating func appendInterpolation(_ number: UInt64, radix: Int) {
        appendLiteral(String(number, radix: radix))
    }
}
