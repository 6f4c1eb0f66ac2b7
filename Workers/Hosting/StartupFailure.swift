import Connections
import Contracts
import Foundation

/// Ends a process that cannot do what it was started for, with one clear line per reason.
///
/// A reason may quote what came from outside, so it shows as escapes what a terminal would obey.
package enum StartupFailure {
    package static func exit(status: Int32, lines: [String]) -> Never {
        var output = StandardError()
        for line in lines.flatMap({ $0.split(separator: "\n", omittingEmptySubsequences: false) }) {
            print(VisibleText.escaped(String(line)), to: &output)
        }
        leave(status: status)
    }

    private struct StandardError: TextOutputStream {
        func write(_ text: String) {
            do {
                try FileHandle.standardError.write(contentsOf: Data(text.utf8))
            } catch {
                return
            }
        }
    }
}
