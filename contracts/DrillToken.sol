// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token for drills that can take a fee, stop, or refuse single accounts; anyone mints, so it is worth nothing
contract DrillToken is ERC20 {
    mapping(address => bool) public isBlocked;
    bool public isPaused;
    uint256 public feePercent;

    constructor(string memory symbol_) ERC20("Drill", symbol_) {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFee(uint256 percent) external {
        feePercent = percent;
    }

    function setPaused(bool paused) external {
        isPaused = paused;
    }

    function setBlocked(address account, bool blocked) external {
        isBlocked[account] = blocked;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!isPaused, "paused");
        require(!isBlocked[from] && !isBlocked[to], "blocked");
        if (from != address(0) && to != address(0) && feePercent > 0) {
            uint256 fee = amount * feePercent / 100;
            super._update(from, address(this), fee);
            amount -= fee;
        }
        super._update(from, to, amount);
    }
}
