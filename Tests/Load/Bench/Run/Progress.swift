import Foundation

/// Says something at once, also into a pipe.
func tell(_ line: String) {
    do {
        try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    } catch {
        // Nobody listens any more; the results go to their file.
        return
    }
}

extension Record {
    /// What is worth a look while the bench runs.
    var lines: [String] {
        let head = "\(scenario)\(variant.isEmpty ? "" : " \(variant)") (\(subject), round \(round))"
        let figures = findings.figures.sorted { $0.key < $1.key }.map { "\($0.key) \(format($0.value))" }
        let cpu = consumption.cpu.sorted { $0.value > $1.value }.filter { $0.value >= 0.05 }
            .map { "\($0.key) \(format($0.value))" }
        let memory = consumption.memory.sorted { $0.value > $1.value }.map { "\($0.key) \(Int($0.value))" }
        return ["\(isGood ? "ok  " : "FAIL") \(head): \(figures.joined(separator: ", "))"]
            + findings.latencies.sorted { $0.key < $1.key }.map { "       \($0.key): \($0.value.text)" }
            + (cpu.isEmpty ? [] : ["       CPU seconds: \(cpu.joined(separator: ", "))"])
            + (consumption.stolen < 0.05
                ? [] : ["       withheld by the hypervisor: \(format(consumption.stolen)) CPU seconds"])
            + (memory.isEmpty ? [] : ["       MB: \(memory.joined(separator: ", "))"])
            + findings.complaints.map { "       \($0)" }
            + (soundness.map { ["       \($0.text)"] } ?? []) + (failure.map { ["       \($0)"] } ?? [])
    }
}

extension Soundness {
    var text: String {
        "verify --settled: \(isSound ? "sound" : "NOT SOUND \(broken)"), \(sagas) sagas in \(format(seconds)) s"
    }
}
