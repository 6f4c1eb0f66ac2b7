/// Runs one verification at a time for all who ask meanwhile.
package actor SharedVerification {
    private let verifier: @Sendable (Verifier.Options) -> Verifier
    private var underWay: [Bool: Task<VerificationReport, any Error>] = [:]

    /// - Parameter verifier: makes a verifier for what is asked.
    package init(_ verifier: @escaping @Sendable (Verifier.Options) -> Verifier) {
        self.verifier = verifier
    }

    package func report(settled: Bool) async throws -> VerificationReport {
        if let task = underWay[settled] { return try await task.value }
        let verifier = verifier(Verifier.Options(settled: settled))
        let task = Task { try await verifier.run() }
        underWay[settled] = task
        defer { underWay[settled] = nil }
        return try await task.value
    }
}
