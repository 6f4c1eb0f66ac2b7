import Connections
import FleetRuntime
import Foundation

/// The program that this process runs.
package enum Release {
    /// The version of the fleet; the OpenAPI document says the same.
    package static let version = "1.0.0"

    /// When the program file was made, which tells two builds of one version apart.
    package static let builtAt: Date? = {
        do {
            let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        } catch {
            return nil
        }
    }()
}

/// What the kernel says of this process.
struct ProcessSamples: Sendable {
    let name: String
    let startedAt = Date()

    func samples() -> [Sample] {
        var samples = [
            Sample(.buildInfo, [("version", Release.version), ("process", name)], 1),
            Sample(.processStartTime, startedAt.timeIntervalSince1970),
            Sample(.processDescriptorLimit, Double(Descriptors.limit)),
        ]
        if let fields = Self.statistics, fields.count > 21 {
            let ticks = (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)
            samples.append(Sample(.processCPU, ticks / Double(sysconf(Int32(_SC_CLK_TCK)))))
            samples.append(Sample(.processMemory, (Double(fields[21]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE)))))
        }
        if let descriptors = Self.descriptors { samples.append(Sample(.processDescriptors, Double(descriptors))) }
        return samples
    }

    /// The fields of `/proc/self/stat` behind the name of the program, the state first.
    private static var statistics: [Substring]? {
        guard let data = FileManager.default.contents(atPath: "/proc/self/stat") else { return nil }
        return String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ")
    }

    private static var descriptors: Int? {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        } catch {
            return nil
        }
    }
}

extension HealthRegistry {
    /// One of three series per part is 1.
    func samples() -> [Sample] {
        report.components.flatMap { component in
            ["ready", "degraded", "failed"].map { word in
                Sample(
                    .componentState, [("component", component.name), ("state", word)],
                    component.status.word == word ? 1 : 0)
            }
        }
    }
}
