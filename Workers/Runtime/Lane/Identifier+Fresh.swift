import Connections
import Contracts
import FoundationEssentials

extension Identifier {
    /// A new identifier by the clock and the chance of the world the code runs in.
    package static func fresh() -> Self {
        var chance = World.chance
        return make(at: World.date.millisecondsSince1970, using: &chance)
    }
}
