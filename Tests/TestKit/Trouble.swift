import Foundation

/// Something did not go as a suite needs or as a promise says.
package struct Trouble: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Waits until `condition` holds, looking again and again; how long that took.
@discardableResult
package func until(
    _ what: String, within limit: Duration, every pause: Duration = .milliseconds(50),
    _ condition: () async throws -> Bool
) async throws -> Duration {
    let began = ContinuousClock.now
    while try await !condition() {
        guard ContinuousClock.now - began < limit else { throw Trouble("not within \(limit): \(what)") }
        try await Task.sleep(for: pause)
    }
    return ContinuousClock.now - began
}

extension Duration {
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// With one decimal, such as `3.2 s`.
    package var text: String { String(format: "%.1f s", inSeconds) }
}
