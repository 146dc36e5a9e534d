// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title A well-behaved token with permit; anyone may mint
contract TestToken is ERC20Permit {
    uint8 private immutable DECIMALS;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) ERC20(name_, symbol_) ERC20Permit(name_) {
        DECIMALS = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @title A token that keeps 1 % of every transfer
contract FeeToken is ERC20 {
    constructor() ERC20("Fee", "FEE") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from != address(0) && to != address(0)) {
            super._update(from, address(this), amount / 100);
            amount -= amount / 100;
        }
        super._update(from, to, amount);
    }
}

/// @title A token that can refuse anyone, and can burn what anyone holds
contract HostileToken is ERC20 {
    mapping(address => bool) public isBlocked;
    address public hook;

    constructor() ERC20("Hostile", "HST") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function burnFrom(address from, uint256 amount) external {
        _burn(from, amount);
    }

    function setBlocked(address account, bool blocked) external {
        isBlocked[account] = blocked;
    }

    /// @dev Called on every transfer, as ERC-777 would: room for reentrancy.
    function setHook(address hook_) external {
        hook = hook_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!isBlocked[to] && !isBlocked[from], "blocked");
        super._update(from, to, amount);
        if (hook != address(0)) {
            (bool ok,) = hook.call("");
            ok;
        }
    }
}
