import Configuration
import Connections
import Foundation
import Hosting

/// The environment, and behind it the `.run/env` that `compose/dev up` wrote in the checkout.
struct Surroundings: Sendable {
    private let environment: [String: String]
    private let written: [String: String]
    /// Why a file that is there was not read, a line each.
    let refusals: [String]

    /// - Parameters:
    ///   - folder: where the command was typed; the checkout is that folder or the nearest one above that is one.
    ///   - program: the command itself; without a checkout around the folder, the one that it was built in counts.
    init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        from folder: String = FileManager.default.currentDirectoryPath,
        program: String = "/proc/self/exe"
    ) {
        self.environment = environment
        let places = [URL(filePath: folder), URL(filePath: program).resolvingSymlinksInPath()]
        guard let checkout = places.lazy.compactMap(Self.checkout).first else {
            (written, refusals) = ([:], [])
            return
        }
        do {
            let file = try TrustedFile(in: checkout.appending(path: ".run").path, named: "env")
            written = file.map { Self.read(Data($0.content)) } ?? [:]
            refusals = []
        } catch {
            (written, refusals) = ([:], ["\(error)"])
        }
    }

    /// Those of this command; that a file was not used is said once.
    static let here: Surroundings = {
        let here = Surroundings()
        for line in here.refusals { Terminal.complain(line) }
        return here
    }()

    subscript(name: String) -> String? { all[name] }

    /// Everything that is set; what the environment says comes before what is written.
    var all: [String: String] {
        written.merging(environment.filter { !$0.value.isEmpty }) { $1 }
    }

    /// The settings of a process that was started here.
    func settings() throws -> Settings {
        try Settings(ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: all)))
    }

    /// The nearest folder from here upwards that holds this project; nothing above it is looked at.
    private static func checkout(of place: URL) -> URL? {
        var place = place.standardizedFileURL
        while true {
            let signs = ["Package.swift", "compose/dev"].map { place.appending(path: $0).path }
            if signs.allSatisfy(FileManager.default.fileExists) { return place }
            guard place.pathComponents.count > 1 else { return nil }
            place.deleteLastPathComponent()
        }
    }

    /// Lines of the form `export NAME='value'`.
    static func read(_ data: Data) -> [String: String] {
        var values: [String: String] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix("export ") {
            let parts = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            values[String(parts[0])] = String(parts[1].drop { $0 == "'" }.prefix { $0 != "'" })
        }
        return values
    }
}
