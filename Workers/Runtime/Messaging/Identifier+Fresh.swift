import Connections
import Contracts
import FoundationEssentials

extension Identifier {
    /// A new identifier by the clock and the chance of the world the code runs in.
    package static func fresh() -> Self {
        var chance = RuntimeEnvironment.chance
        return make(at: RuntimeEnvironment.date.millisecondsSince1970, using: &chance)
    }
}
