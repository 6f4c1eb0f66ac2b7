import Foundation
import Glibc
import Synchronization
import TestKit

/// What is metered under one name.
struct Metered: Sendable {
    /// `broker`, `reservation`; several processes may share one.
    let component: String
    /// `reservation-2`: whose memory it is.
    let process: String
    let pid: Int32
    let extent: Extent

    enum Extent: Sendable {
        /// The process alone.
        case alone
        /// With everything it has started.
        case tree
        /// A child of ours that ends while it is measured, with everything it has started and waited for.
        case endingChild
    }
}

/// Adds up what components consume while something is measured.
final class Meter: Sendable {
    private let sum = Mutex(Consumption())
    private let servers: [Metered]

    init(_ site: Site) throws {
        servers = try [("broker", "rabbitmq"), ("database", "postgres"), ("cache", "redis")].map {
            Metered(component: $0, process: $0, pid: try site.pid(ofServer: $1), extent: .tree)
        }
    }

    /// What has been measured so far; the next measurement starts from nothing.
    func take() -> Consumption {
        sum.withLock { sum in
            defer { sum = Consumption() }
            return sum
        }
    }

    /// The most memory of each process in this trial so far, in megabytes.
    var peaks: [String: Double] { sum.withLock { $0.memory } }

    func measure<R: Sendable>(_ metered: [Metered], _ body: () async throws -> R) async throws -> R {
        let generator = Metered(component: "generator", process: "generator", pid: getpid(), extent: .alone)
        let all = servers + metered + [generator]
        let before = try ProcessTable()
        let began = ContinuousClock.now
        let sampling = Task { [self] in
            while !Task.isCancelled {
                try sample(all)
                try await Task.sleep(for: .seconds(1))
            }
        }
        defer { sampling.cancel() }
        let result = try await body()
        let after = try ProcessTable()
        try sample(all)
        let seconds = (ContinuousClock.now - began).inSeconds
        sum.withLock { sum in
            sum.seconds += seconds
            var known = 0.0
            for one in all {
                let cpu = one.cpu(in: after) - one.cpu(in: before)
                sum.cpu[one.component, default: 0] += cpu
                known += cpu
            }
            sum.cpu["others", default: 0] += max(0, after.busy - before.busy - known)
            sum.stolen += after.stolen - before.stolen
        }
        return result
    }

    /// The memory of every process now, in megabytes.
    func memory(_ metered: [Metered]) throws -> [String: Double] {
        let table = try ProcessTable()
        return Dictionary((servers + metered).map { ($0.process, table.memory(ofTree: $0.pid)) }) { $1 }
    }

    private func sample(_ all: [Metered]) throws {
        let table = try ProcessTable()
        let memory = all.map { ($0.process, $0.memory(in: table)) }
        sum.withLock { sum in
            for (process, megabytes) in memory where process != "generator" {
                sum.memory[process] = max(sum.memory[process] ?? 0, megabytes)
            }
        }
    }
}

extension Metered {
    fileprivate func cpu(in table: ProcessTable) -> Double {
        switch extent {
        case .alone: table.cpu(of: pid)
        case .tree: table.cpu(ofTree: pid)
        case .endingChild: table.cpuOfEnded(childrenOf: getpid())
        }
    }

    fileprivate func memory(in table: ProcessTable) -> Double {
        switch extent {
        case .alone: max(table.memory(ofTree: pid), ProcessTable.peak(of: pid))
        case .tree, .endingChild: table.memory(ofTree: pid)
        }
    }
}
