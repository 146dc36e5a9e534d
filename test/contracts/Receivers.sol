// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title An account that can call anything, and does something nasty when it receives ETH
contract HostileReceiver {
    enum Mood {
        Accept,
        Revert,
        BurnGas,
        ReturnBomb,
        Reenter
    }

    Mood public mood;
    address public target;
    bytes public data;
    uint256 private sink;

    function setMood(Mood mood_, address target_, bytes calldata data_) external {
        mood = mood_;
        target = target_;
        data = data_;
    }

    function execute(address to, uint256 value, bytes calldata data_) external payable returns (bytes memory) {
        (bool ok, bytes memory reply) = to.call{value: value}(data_);
        if (!ok) {
            assembly {
                revert(add(reply, 32), mload(reply))
            }
        }
        return reply;
    }

    fallback() external payable {
        _react();
    }

    receive() external payable {
        _react();
    }

    function _react() private {
        if (mood == Mood.Revert) revert("no");
        if (mood == Mood.BurnGas) {
            while (true) sink++;
        }
        if (mood == Mood.ReturnBomb) {
            assembly {
                return(0, 1000000)
            }
        }
        if (mood == Mood.Reenter) {
            (bool ok,) = target.call(data);
            ok;
        }
    }
}
