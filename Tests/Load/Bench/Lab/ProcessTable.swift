import Foundation
import Glibc
import TestKit

/// The machine's processes at one moment, as `/proc` shows them.
struct ProcessTable: Sendable {
    struct Entry: Sendable {
        let parent: Int32
        /// User and system time of the process, in seconds.
        let cpu: Double
        /// The same of its children that have ended.
        let cpuOfEnded: Double
    }

    private let entries: [Int32: Entry]
    private let children: [Int32: [Int32]]
    /// What all processors worked, in seconds since the machine started.
    let busy: Double
    /// What the hypervisor gave to others while this machine wanted to work, in the same measure.
    let stolen: Double

    private static let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    private static let megabytesPerPage = Double(max(1, sysconf(Int32(_SC_PAGESIZE)))) / 1_048_576

    init() throws {
        var entries: [Int32: Entry] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let pid = Int32(name), let text = Self.read("/proc/\(pid)/stat") else { continue }
            entries[pid] = Self.entry(text)
        }
        self.entries = entries
        children = Dictionary(grouping: entries.keys) { entries[$0]?.parent ?? 0 }
        let total = Self.read("/proc/stat")?.split(separator: "\n").first ?? ""
        let times = total.split(separator: " ").dropFirst().compactMap { Double($0) }
        // user nice system idle iowait irq softirq steal: idle and waiting is not work.
        busy =
            times.enumerated().filter { ![3, 4].contains($0.offset) && $0.offset < 7 }.map(\.element).reduce(0, +)
            / Self.ticks
        stolen = times.count > 7 ? times[7] / Self.ticks : 0
    }

    /// CPU seconds of a process and of everything it has started.
    func cpu(ofTree root: Int32) -> Double {
        guard let entry = entries[root] else { return 0 }
        return entry.cpu + entry.cpuOfEnded + (children[root] ?? []).map(cpu(ofTree:)).reduce(0, +)
    }

    /// CPU seconds of one process alone.
    func cpu(of pid: Int32) -> Double { entries[pid]?.cpu ?? 0 }

    /// CPU seconds of the children that a process has waited for, and of theirs.
    func cpuOfEnded(childrenOf pid: Int32) -> Double { entries[pid]?.cpuOfEnded ?? 0 }

    /// Megabytes of a process and of everything it has started, counting what they share once.
    func memory(ofTree root: Int32) -> Double {
        var (own, shared) = (0.0, 0.0)
        for pid in tree(root) {
            let fields = Self.read("/proc/\(pid)/statm")?.split(separator: " ").compactMap { Double($0) } ?? []
            guard fields.count > 2 else { continue }
            own += fields[1] - fields[2]
            shared = max(shared, fields[2])
        }
        return (own + shared) * Self.megabytesPerPage
    }

    private func tree(_ root: Int32) -> [Int32] { [root] + (children[root] ?? []).flatMap(tree) }

    /// The most that a process has had in memory so far, in megabytes.
    static func peak(of pid: Int32) -> Double {
        let line = read("/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }
        return (kilobytes ?? 0) / 1_024
    }

    /// The fields after the command, which may hold anything; see proc(5).
    private static func entry(_ stat: String) -> Entry? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 14, let parent = Int32(fields[1]) else { return nil }
        let times = fields[11...14].map { (Double($0) ?? 0) / ticks }
        return Entry(parent: parent, cpu: times[0] + times[1], cpuOfEnded: times[2] + times[3])
    }

    /// A file of a process that may have ended meanwhile.
    private static func read(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { closeQuietly(file) }
        do {
            return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        } catch {
            return nil
        }
    }

    private static func closeQuietly(_ file: FileHandle) {
        do { try file.close() } catch { return }
    }
}
