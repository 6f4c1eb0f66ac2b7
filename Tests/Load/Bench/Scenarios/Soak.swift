import Contracts
import Foundation
import Synchronization
import TestKit

/// A long time at 70 % of what the fleet can do: nothing may grow but the record.
enum Soak {
    private static let share = 0.7
    private static let samples = 180

    static func trials(_ sizes: Sizes) -> [Trial] {
        [
            Trial(scenario: "soak") {
                try await play($0, seconds: sizes.soakSeconds, probing: max(500, sizes.purchases / 3))
            }
        ]
    }

    private static func play(_ stage: Stage, seconds: Int, probing: Int) async throws -> Findings {
        let probe = try await Saturate.play(stage, purchases: probing, events: 64)
        let capacity = probe.figures["purchases per second"] ?? 0
        _ = stage.meter.take()
        let rate = capacity * share
        tell("  \(Int(capacity)) purchases a second are the most; \(Int(rate)) for \(seconds) s")
        let buyers = Buyers(try await stage.target.publishEvents(64))
        let stream = SteadyStream(
            target: stage.target, buyers: buyers, rate: rate, count: Int(rate * Double(seconds)))
        let interval = max(1, seconds / samples)
        let (timings, samples) = try await stage.measure {
            let watching = Task { try await watch(stage, every: .seconds(interval)) }
            do {
                let timings = try await stream.run()
                watching.cancel()
                return (timings, try await watching.value)
            } catch {
                watching.cancel()
                throw error
            }
        }
        return findings(timings, samples, rate: rate, capacity: capacity, seconds: seconds, every: interval)
    }

    /// Looks at memory, queues and tables until cancelled.
    private static func watch(_ stage: Stage, every pause: Duration) async throws -> [[String: Double]] {
        var samples: [[String: Double]] = []
        let began = ContinuousClock.now
        while !Task.isCancelled {
            var sample = try stage.meter.memory(await stage.fleet.meters).reduce(into: [:]) { sum, memory in
                sum["\(memory.key) MB"] = memory.value
            }
            sample["seconds"] = (ContinuousClock.now - began).inSeconds
            sample["messages"] = Double(try await stage.cleaner.messages().work)
            sample["database MB"] =
                Double(
                    try await stage.target.count("SELECT pg_database_size(current_database())")) / 1_048_576
            sample["dead rows"] = Double(
                try await stage.target.count("SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables"))
            sample["sagas"] = Double(
                try await stage.target.count(
                    "SELECT n_tup_ins FROM pg_stat_user_tables WHERE schemaname = 'orchestrator' AND relname = 'saga'"))
            samples.append(sample)
            try await stage.fleet.check()
            do { try await Task.sleep(for: pause) } catch { break }
        }
        return samples
    }

    private static func findings(
        _ timings: [SteadyStream.Timing], _ samples: [[String: Double]], rate: Double, capacity: Double, seconds: Int,
        every interval: Int
    ) -> Findings {
        var completed: [Int: Int] = [:]
        for timing in timings { completed[Int((timing.due + timing.took).inSeconds) / interval, default: 0] += 1 }
        var findings = Findings(figures: [
            "capacity per second": capacity, "purchases per second": rate, "purchases": Double(timings.count),
            "seconds": Double(seconds),
        ])
        findings.latencies["start to completed"] = Percentiles(timings.map(\.took))
        findings.series = samples.enumerated().map { index, sample in
            sample.merging(["completed per second": Double(completed[index] ?? 0) / Double(interval)]) { $1 }
        }
        Flatness(findings.series).note(in: &findings)
        return findings
    }
}

/// Compares the second fifth of a soak with its last: the first is for warming up.
private struct Flatness {
    private let early: [[String: Double]]
    private let late: [[String: Double]]

    init(_ series: [[String: Double]]) {
        // The last sample's interval may be cut short.
        let whole = series.dropLast()
        let fifth = whole.count / 5
        early = Array(whole.dropFirst(fifth).prefix(fifth))
        late = Array(whole.suffix(fifth))
    }

    func note(in findings: inout Findings) {
        guard !early.isEmpty else { return }
        for name in early[0].keys.sorted() where name.hasSuffix(" MB") && name != "database MB" {
            let (before, after) = (mean(name, early), mean(name, late))
            findings.figures["\(name), late to early"] = after / max(1, before)
            // Caches of servers fill up to their limits; processes of ours may not.
            if FleetRole(rawValue: String(name.dropLast(3))) != nil, after > before * 1.1 + 10 {
                findings.complaints.append("\(name): from \(Int(before)) to \(Int(after))")
            }
        }
        let (before, after) = (mean("completed per second", early), mean("completed per second", late))
        findings.figures["completed per second, late to early"] = after / max(1, before)
        if after < before * 0.95 {
            findings.complaints.append("completed per second fell from \(Int(before)) to \(Int(after))")
        }
        findings.figures["messages, late"] = mean("messages", late)
        if mean("messages", late) > mean("messages", early) * 2 + 1_000 {
            findings.complaints.append("the queues grow")
        }
        let (bytesBefore, bytesAfter) = (bytesPerPurchase(early), bytesPerPurchase(late))
        findings.figures["database bytes per purchase, early"] = bytesBefore
        findings.figures["database bytes per purchase, late"] = bytesAfter
        if bytesAfter > bytesBefore * 1.2 {
            findings.complaints.append("a purchase takes \(Int(bytesAfter)) bytes instead of \(Int(bytesBefore))")
        }
    }

    private func mean(_ name: String, _ rows: [[String: Double]]) -> Double {
        rows.compactMap { $0[name] }.reduce(0, +) / Double(max(1, rows.count))
    }

    /// What the database grew by, over the purchases that came meanwhile.
    private func bytesPerPurchase(_ rows: [[String: Double]]) -> Double {
        guard let first = rows.first, let last = rows.last else { return 0 }
        let sagas = (last["sagas"] ?? 0) - (first["sagas"] ?? 0)
        return ((last["database MB"] ?? 0) - (first["database MB"] ?? 0)) * 1_048_576 / max(1, sagas)
    }
}
