// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title An account of drills that calls what it is told, and does something nasty when it is paid
contract DrillReceiver {
    enum Mood {
        Accept,
        Revert,
        BurnGas,
        ReturnBomb
    }

    Mood private immutable MOOD;

    constructor(Mood mood) {
        MOOD = mood;
    }

    /// @dev Calls with the value that comes along, and reverts as the callee does.
    function execute(address to, bytes calldata data) external payable {
        (bool ok, bytes memory reply) = to.call{value: msg.value}(data);
        if (!ok) {
            assembly {
                revert(add(reply, 32), mload(reply))
            }
        }
    }

    receive() external payable {
        if (MOOD == Mood.Revert) revert("no");
        if (MOOD == Mood.BurnGas) while (true) {}
        if (MOOD == Mood.ReturnBomb) {
            assembly {
                return(0, 1000000)
            }
        }
    }
}
