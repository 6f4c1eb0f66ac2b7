import FleetRuntime
import Foundation
import TestKit

/// What came of one fault.
struct Verdict: Codable, Sendable {
    let id: String
    let title: String
    let how: String
    let seen: String
    let purchases: Int
    let repeats: Int
    /// Seconds from the healing to the next completed purchase.
    let recovered: Double?
    let bound: Double
    /// Seconds until nothing was left to do.
    let drained: Double?
    let troubles: [String]
    let date: Date

    var isGood: Bool { troubles.isEmpty }

    var line: String {
        let times = "recovered \(Self.text(recovered)) of \(Int(bound)) s, drained \(Self.text(drained))"
        let head =
            "\(isGood ? "ok  " : "FAIL") \(id)  \(title): \(times); \(purchases) purchases, \(repeats) repeats; \(seen)"
        return ([head] + troubles.map { "       \($0)" }).joined(separator: "\n")
    }

    static func text(_ seconds: Double?) -> String {
        seconds.map { String(format: "%.1f s", $0) } ?? "never"
    }
}

/// The verdicts of a run, kept from one call of the suite to the next, and the page made of them.
struct InboxStore {
    private let file: URL
    private(set) var verdicts: [String: Verdict]

    init(_ file: URL) throws {
        self.file = file
        verdicts = [:]
        if FileManager.default.fileExists(atPath: file.path) {
            verdicts = try JSONDecoder().decode([String: Verdict].self, from: try Data(contentsOf: file))
        }
    }

    mutating func note(_ verdict: Verdict) throws {
        verdicts[verdict.id] = verdict
        try JSONEncoder().encode(verdicts).write(to: file)
    }

    /// The table of all faults in the order of the suite, with the date and the versions of the run.
    func page(versions: String, replicas: Int) -> String {
        let known = Fault.all.compactMap { verdicts[$0.id] }
        let missing = Fault.all.map(\.id).filter { verdicts[$0] == nil }
        let days = Set(known.map { $0.date.formatted(.iso8601.year().month().day()) }).sorted()
        let rows = known.map { verdict in
            let cells = [
                verdict.id, verdict.title, verdict.how, verdict.seen + verdict.troubles.map { "; **\($0)**" }.joined(),
                Verdict.text(verdict.recovered), Verdict.text(verdict.drained),
            ]
            return "| "
                + cells.map { $0.replacing("|", with: "\\|").replacing("\n", with: " ") }.joined(separator: " | ")
                + " |"
        }
        return """
            # Faults

            What `compose/dev faults` did to the fleet and what came of it. Each fault meets a sale in full swing: buyers who
            pay, are declined, cancel, want their money back, wait too long, ask for the same seats, and ask again under the
            same key whenever they get no answer. When it is healed and everything has come to its end, `turnstile verify
            --settled` must find nothing wrong, and memory, descriptors, connections and channels must be back where they were.

            Ids are those of the fault catalogue. *Recovered* is the time from the healing to the next completed purchase,
            *drained* until nothing was left to do.

            Made by a run of the suite with \(replicas) of each process on \(days.joined(separator: ", ")): \(versions).
            \(known.count(where: \.isGood)) of \(known.count) faults went as promised, with
            \(known.reduce(0) { $0 + $1.purchases }) purchases meanwhile.

            | id | fault | injected by | seen | recovered | drained |
            |---|---|---|---|---|---|
            \(rows.joined(separator: "\n"))
            \(missing.isEmpty ? "" : "\nNot part of this run: \(missing.joined(separator: ", ")).")

            """
    }
}
