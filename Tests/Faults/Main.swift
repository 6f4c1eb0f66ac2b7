import Connections
import FleetRuntime
import Foundation
import Hosting
import Logging
import TestKit

/// Does to a fleet what the catalogue of faults says, and tells what came of it.
@main
enum Main {
    /// Exit status for a command line that makes no sense (`EX_USAGE` of sysexits).
    private static let usage: Int32 = 64

    static func main() async {
        ignoreBrokenPipes()
        let request: Request
        do {
            request = try Request(CommandLine.arguments.dropFirst())
            _ = try request.faults()
        } catch {
            StartupFailure.exit(status: usage, lines: ["faults: \(error)"])
        }
        do {
            leave(status: try await obey(request) ? 0 : 1)
        } catch {
            StartupFailure.exit(status: 1, lines: ["faults: \(error)"])
        }
    }

    /// Whether all went as promised.
    private static func obey(_ request: Request) async throws -> Bool {
        if request.onlyCheck { return true }
        if request.lists {
            for fault in Fault.all { print("\(fault.id)  \(fault.title)") }
            return true
        }
        let place = try Place(ProcessInfo.processInfo.environment)
        if request.onlyPage {
            try await write(request, InboxStore(request.ledger(in: place)), in: place)
            return true
        }
        return try await run(request, in: place)
    }

    private static func run(_ request: Request, in place: Place) async throws -> Bool {
        var logger = Logger(label: "faults")
        logger.logLevel = .error
        let web = Web()
        let proxies = try await Proxies(place)
        Task { try await proxies.run() }
        let fleet = FleetProcesses(place, proxies, web: web, replicas: request.replicas)
        let outcome: Result<Bool, any Error>
        do {
            outcome = .success(try await run(request, in: place, proxies, fleet, web, logger))
        } catch {
            outcome = .failure(error)
        }
        try await fleet.stopAll()
        await web.close()
        return try outcome.get()
    }

    private static func run(
        _ request: Request, in place: Place, _ proxies: Proxies, _ fleet: FleetProcesses, _ web: Web, _ logger: Logger
    ) async throws -> Bool {
        let faults = try request.faults()
        try await fleet.up()
        let buyers = Buyers(web) { await fleet.orchestratorURLs }
        let suite = Suite(
            place: place, proxies: proxies, fleet: fleet, web: web, buyers: buyers, logger: logger,
            rest: try await Holdings.afterAFewSales(
                fleet, buyers, Books(place: place, logger: logger), Broker(place: place, web: web, logger: logger)))
        var ledger = try InboxStore(request.ledger(in: place))
        var bad = 0
        let start = ContinuousClock.now
        for fault in faults where !(request.onlyMissing && ledger.verdicts[fault.id]?.isGood == true) {
            let began = ContinuousClock.now
            if let limit = request.limit, began - start > limit {
                try tell("the time is up; --missing goes on here")
                break
            }
            let verdict = await suite.run(fault)
            try tell("\(verdict.line) [\((ContinuousClock.now - began).text)]")
            if !verdict.isGood { bad += 1 }
            try ledger.note(verdict)
        }
        try await write(request, ledger, in: place)
        try tell(bad == 0 ? "all faults went as promised" : "\(bad) faults did not go as promised")
        return bad == 0
    }
}

private func write(_ request: Request, _ ledger: InboxStore, in place: Place) async throws {
    guard let page = request.page else { return }
    try ledger.page(versions: try await Versions.text(place), replicas: request.replicas)
        .write(to: page, atomically: true, encoding: .utf8)
}

/// Writes a line at once, also into a pipe.
private func tell(_ line: String) throws {
    try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
}

/// The command line: names of faults or families, `--replicas N`, `--page FILE`, `--only-page`, `--missing`,
/// `--minutes N`, `--list`.
struct Request {
    private(set) var lists = false
    private(set) var replicas = 1
    private(set) var page: URL?
    /// Runs nothing, and makes the page of what earlier calls on the same servers found.
    private(set) var onlyPage = false
    /// Leaves out what went as promised in an earlier call on the same servers.
    private(set) var onlyMissing = false
    /// After this time no further fault begins.
    private(set) var limit: Duration?
    /// Only looks at the arguments.
    private(set) var onlyCheck = false
    private var names: [String] = []

    init(_ words: some Sequence<String>) throws {
        var words = words.makeIterator()
        while let word = words.next() {
            switch word {
            case "--list": lists = true
            case "--only-check": onlyCheck = true
            case "--replicas": replicas = try Self.value(of: word, words.next().flatMap { Int($0) }, in: 1...10)
            case "--only-page": onlyPage = true
            case "--missing": onlyMissing = true
            case "--minutes":
                let minutes = try Self.value(of: word, words.next().flatMap { Double($0) }, in: 0.1...10_000)
                limit = .seconds(minutes * 60)
            case "--page":
                guard let path = words.next() else { throw Trouble("--page needs the name of a file") }
                page = URL(filePath: path)
            case _ where word.hasPrefix("-"): throw Trouble("there is no option '\(word)'")
            default: names.append(word)
            }
        }
    }

    private static func value<Number: Comparable>(
        of option: String, _ number: Number?, in range: ClosedRange<Number>
    ) throws -> Number {
        guard let number, range.contains(number) else {
            throw Trouble("\(option) needs a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func ledger(in place: Place) -> URL {
        place.run.appending(path: replicas == 1 ? "faults.json" : "faults-\(replicas).json")
    }

    /// The faults of these ids, or where there is none of an id, those that begin with it; all when there is no name.
    func faults() throws -> [Fault] {
        guard !names.isEmpty else { return Fault.all }
        var known: Set<String> = []
        return try names.flatMap { name in
            let exact = Fault.all.filter { $0.id == name }
            let found = exact.isEmpty ? Fault.all.filter { $0.id.hasPrefix(name) } : exact
            guard !found.isEmpty else { throw Trouble("there is no fault '\(name)'; --list names them") }
            return found.filter { known.insert($0.id).inserted }
        }
    }
}
